import Decide
import Logging
import Record
import SQL
import ServiceLifecycle
import Synchronization
import Testing

@testable import Act

@Suite("Page dispatcher", .timeLimit(.minutes(2)))
struct PageDispatcherTests {
    @Test("a page is delivered and recorded once")
    func delivers() async throws {
        try await SMTPServer.run { server in
            try await Desk.run(.mailing(server)) { desk in
                try await desk.openIncident()
                let dispatcher = desk.dispatcher()
                #expect(try await dispatcher.deliverDue() == 1)
                let page = try await desk.page()
                #expect(page.status == .delivered)
                #expect(page.proof == "250 2.0.0 Ok: queued as 4X1")
                #expect(page.attempts == 1)
                #expect(try await desk.waiting() == 0)
                #expect(try await desk.news() == ["page.delivered"])
                #expect(try await dispatcher.deliverDue() == 0)
                #expect(server.mails.count == 1)
            }
        }
    }

    @Test("a refused page waits its pause and is tried again")
    func retries() async throws {
        try await SMTPServer.run([.refuse(.receiver, "450 4.2.0 greylisted"), .accept]) { server in
            try await Desk.run(.mailing(server)) { desk in
                try await desk.openIncident()
                let dispatcher = desk.dispatcher()
                #expect(try await dispatcher.deliverDue() == 1)
                let page = try await desk.page()
                #expect(page.status == .queued)
                #expect(page.lastFailure?.contains("450 4.2.0 greylisted") == true)
                desk.clock.advance(.milliseconds(1_999))
                #expect(try await dispatcher.deliverDue() == 0)
                desk.clock.advance(.milliseconds(1))
                #expect(try await dispatcher.deliverDue() == 1)
                #expect(try await desk.page().status == .delivered)
                #expect(try await desk.page().attempts == 2)
                #expect(try await desk.news() == ["page.delayed", "page.delivered"])
            }
        }
    }

    @Test("a server that hangs costs one try")
    func hangs() async throws {
        try await SMTPServer.run([.hang(.data), .accept]) { server in
            try await Desk.run(.mailing(server, timeout: .milliseconds(300))) { desk in
                try await desk.openIncident()
                let dispatcher = desk.dispatcher()
                try await dispatcher.deliverDue()
                #expect(try await desk.page().lastFailure?.contains("did not finish") == true)
                // A reload takes hold without a new dispatcher.
                desk.book.current = .mailing(server)
                desk.clock.advance(.seconds(2))
                try await dispatcher.deliverDue()
                #expect(try await desk.page().status == .delivered)
            }
        }
    }

    @Test("what cannot be delivered ends at once, and says why")
    func permanent() async throws {
        try await SMTPServer.run([.refuse(.receiver, "550 5.1.1 no such user")]) { server in
            try await Desk.run(.mailing(server)) { desk in
                try await desk.openIncident()
                try await desk.dispatcher().deliverDue()
                #expect(try await desk.page().status == .failed)
                #expect(try await desk.page().lastFailure?.hasSuffix("answered 550 5.1.1 no such user") == true)
                #expect(try await desk.waiting() == 0)
                #expect(try await desk.news() == ["page.failed"])
            }
        }
    }

    @Test(
        "an address that is not configured ends the page with a reason",
        arguments: [
            (.email, "no mail server is configured"), (.slack, "no Slack channel ada is configured"),
            (.webhook, "no webhook ada is configured"),
        ] as [(PageTarget.Method, String)])
    func noAddress(method: PageTarget.Method, reason: String) async throws {
        try await Desk.run(AddressBook(), targets: [PageTarget(name: "ada", method: method)]) { desk in
            try await desk.openIncident()
            try await desk.dispatcher().deliverDue()
            #expect(try await desk.page().status == .failed)
            #expect(try await desk.page().lastFailure == reason)
        }
    }

    @Test("a page is given up at the end of its lifetime")
    func expires() async throws {
        try await SMTPServer.run([.refuse(.greeting, "421 4.3.2 down")]) { server in
            try await Desk.run(.mailing(server)) { desk in
                try await desk.openIncident()
                let dispatcher = desk.dispatcher()
                var tries = 0
                while try await desk.waiting() > 0 {
                    tries += try await dispatcher.deliverDue()
                    desk.clock.advance(.minutes(30))
                }
                #expect(try await desk.page().status == .failed)
                #expect(try await desk.page().attempts == tries)
                #expect((46...50).contains(tries))
                #expect(try await desk.news() == ["page.delayed", "page.failed"])
            }
        }
    }

    @Test("a repeated page is withheld once somebody acknowledged")
    func acknowledgedMeanwhile() async throws {
        try await SMTPServer.run { server in
            try await Desk.run(.mailing(server)) { desk in
                let (incident, dispatcher) = (Subject(.incident, Desk.incident), desk.dispatcher())
                try await desk.openIncident()
                try await dispatcher.deliverDue()
                desk.clock.advance(.minutes(5))
                try await desk.record.apply(incident, .deadlineReached, by: .mainstay)
                try await desk.record.apply(incident, .incident(.acknowledged), by: Actor(.person, "lin"))
                #expect(try await dispatcher.deliverDue() == 1)
                let again = try #require(try await desk.pages().last)
                #expect(again.id.hasSuffix("/again-1"))
                #expect(again.status == .failed)
                #expect(again.lastFailure == "acknowledged meanwhile")
                #expect(server.mails.count == 1)
            }
        }
    }

    @Test("a first page still goes out after an acknowledgement, and says so")
    func firstPageAfterAcknowledgement() async throws {
        try await SMTPServer.run { server in
            try await Desk.run(.mailing(server)) { desk in
                try await desk.openIncident()
                try await desk.record.apply(
                    Subject(.incident, Desk.incident), .incident(.acknowledged), by: Actor(.person, "lin"))
                try await desk.dispatcher().deliverDue()
                #expect(try await desk.page().status == .delivered)
                let mail = ReceivedMail(try #require(server.mails.first).text)
                #expect(mail.plain.contains("Meanwhile acknowledged by lin."))
            }
        }
    }

    @Test("two dispatchers share the work and do none of it twice")
    func shares() async throws {
        let targets = (1...40).map { PageTarget(name: "person\($0)", method: .email) }
        try await SMTPServer.run { server in
            let people = Dictionary(uniqueKeysWithValues: targets.map { ($0.name, "\($0.name)@example.test") })
            try await Desk.run(AddressBook(people: people, mail: .at(server)), targets: targets) { desk in
                try await desk.openIncident()
                let dispatchers = ["a", "b"].map { desk.dispatcher($0) }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for dispatcher in dispatchers {
                        group.addTask { while try await dispatcher.deliverDue() > 0 {} }
                    }
                    try await group.waitForAll()
                }
                #expect(server.mails.count == 40)
                #expect(Set(server.mails.map(\.to)).count == 40)
                #expect(try await desk.pages().allSatisfy { $0.status == .delivered && $0.attempts == 1 })
            }
        }
    }

    // MARK: Crashes and a database that goes away

    @Test("a crash between sending and recording leads to a second mail with the same identifier")
    func crashes() async throws {
        let database = Mutex<FlakyDatabase?>(nil)
        try await SMTPServer.run(onText: { database.withLock { $0?.goAway() } }) { server in
            try await Desk.run(.mailing(server)) { desk in
                try await desk.openIncident()
                database.withLock { $0 = desk.database }
                let first = Task { [dispatcher = desk.dispatcher("a")] in try await dispatcher.deliverDue() }
                try await eventually { desk.database.refused > 0 }
                first.cancel()
                _ = try await first.value
                database.withLock { $0 = nil }
                desk.database.comeBack()
                #expect(try await desk.page().status == .queued)

                let second = desk.dispatcher("b")
                #expect(try await second.deliverDue() == 0)
                desk.clock.advance(.minutes(2))
                #expect(try await second.deliverDue() == 1)
                #expect(try await desk.page().status == .delivered)
                #expect(server.mails.count == 2)
                #expect(Set(server.mails.map { ReceivedMail($0.text)["Message-ID"] }).count == 1)
                #expect(try await desk.news() == ["page.delivered"])
            }
        }
    }

    @Test("an outcome that cannot be recorded yet is kept, and nobody is paged twice")
    func databaseAway() async throws {
        let database = Mutex<FlakyDatabase?>(nil)
        try await SMTPServer.run(onText: { database.withLock { $0?.goAway() } }) { server in
            try await Desk.run(.mailing(server)) { desk in
                try await desk.openIncident()
                database.withLock { $0 = desk.database }
                let sending = Task { [dispatcher = desk.dispatcher()] in try await dispatcher.deliverDue() }
                try await eventually { desk.database.refused > 3 }
                desk.clock.advance(.minutes(10))
                desk.database.comeBack()
                #expect(try await sending.value == 1)
                #expect(try await desk.page().status == .delivered)
                #expect(server.mails.count == 1)
            }
        }
    }

    @Test("a page under way is not sent again by the same process, even when its lease has ended")
    func leaseEnds() async throws {
        try await SMTPServer.run([.hold]) { server in
            try await Desk.run(.mailing(server)) { desk in
                try await desk.openIncident()
                let dispatcher = desk.dispatcher()
                let sending = Task { try await dispatcher.deliverDue() }
                try await eventually { server.mails.count == 1 && server.state.withLock { !$0.held.isEmpty } }
                desk.clock.advance(.minutes(10))
                #expect(try await dispatcher.deliverDue() == 0)
                server.release()
                #expect(try await sending.value == 1)
                #expect(try await desk.page().status == .delivered)
                #expect(server.mails.count == 1)
            }
        }
    }

    // MARK: The loop

    @Test("the loop wakes for new pages, survives a database that is away, and finishes what it began")
    func runs() async throws {
        try await SMTPServer.run([.accept, .accept, .hold]) { server in
            try await Desk.run(.mailing(server)) { desk in
                let group = ServiceGroup(
                    configuration: .init(services: [.init(service: desk.dispatcher())], logger: .silent))
                async let running: Void = group.run()
                try await desk.openIncident()
                try await eventually { try await desk.page().status == .delivered }

                desk.database.goAway()
                let refused = desk.database.refused
                desk.record.signals.send(.outbox(.act))
                try await eventually { desk.database.refused > refused + 1 }
                desk.database.comeBack()
                try await desk.openIncident("shop-favorites-2")
                try await eventually { server.mails.count == 2 }

                try await desk.openIncident("shop-favorites-3")
                try await eventually { server.state.withLock { !$0.held.isEmpty } }
                await group.triggerGracefulShutdown()
                server.release()
                try await running
                #expect(try await desk.waiting() == 0)
                #expect(server.mails.count == 3)
            }
        }
    }
}
