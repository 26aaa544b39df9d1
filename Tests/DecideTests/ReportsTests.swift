import Decide
import DecideSupport
import Testing

@Suite("Customer reports")
struct ReportsTests {
    private func report(_ reporter: String, _ house: House) -> Event {
        .reports(
            .received(
                Report(
                    id: "\(reporter)-\(house.now.milliseconds)", service: "storefront", feature: "favorites",
                    text: "The button does nothing", reporter: reporter, page: "/products/7", at: house.now)))
    }

    private let subject = Subject(.reports, "storefront/favorites")

    @Test("one person counts once, however often they report")
    func onePerson() throws {
        var house = House()
        for _ in 0..<10 { try house.apply(subject, report("u1", house)) }
        #expect(house.incident() == nil)
        #expect(house.kinds().count { $0 == "report.received" } == 10)
    }

    @Test("several people in a short time open an incident and page its owners")
    func several() throws {
        var house = House()
        try house.forceRelease()
        house.now = house.now + .seconds(30)
        _ = house.takeEffects()
        for user in ["u1", "u2", "u3"] { try house.apply(subject, report(user, house)) }
        let incident = try #require(house.incident())
        #expect(incident.title == "Customers report that favorites does not work")
        #expect(incident.prime?.change.id == "release:\(House.release.id)")
        #expect(incident.reporters == 3)
        #expect(house.takeEffects().contains { if case .deliver = $0 { true } else { false } })
    }

    @Test("several people over a long time do not")
    func slow() throws {
        var house = House()
        for user in ["u1", "u2", "u3", "u4"] {
            try house.apply(subject, report(user, house))
            try house.wait(.minutes(6))
        }
        #expect(house.incident() == nil)
    }

    @Test("the alert ends after a quiet time")
    func quiet() throws {
        var house = House()
        for user in ["u1", "u2", "u3"] { try house.apply(subject, report(user, house)) }
        try house.wait(.minutes(5))
        try house.apply(subject, report("u4", house))
        try house.wait(.minutes(9))
        #expect(house.incident()?.status.isOpen == true)
        try house.wait(.minutes(2))
        #expect(house.incident()?.status == .resolved)
    }
}
