import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// A problem in the form that the one who asked can read.
enum ErrorAnswer {
    static func make(_ problem: Problem, to request: Request, requestID: String) -> Response {
        let path = request.uri.path
        var response: Response
        if path.hasPrefix("/ofrep/") {
            response = ofrep(problem)
        } else if path.hasPrefix("/api/") || !request.wantsPage {
            response = Response(status: problem.status, json: problem.json(requestID: requestID))
            response.headers[.contentType] = "application/problem+json"
        } else if problem.status == .unauthorized, request.isSafe, path != "/sign-in" {
            return Response(
                status: .seeOther, headers: [.location: "/sign-in?next=\(PercentCoding.encode(path))"])
        } else {
            response = Response(html: page(problem, requestID: requestID), status: problem.status)
        }
        for field in problem.headers { response.headers[field.name] = field.value }
        // An answer to HEAD has no body: a client would read it as the next answer.
        if request.method == .head { response = Response(status: response.status, headers: response.headers) }
        return response
    }

    /// OFREP: 401 and 403 have no body, others have `errorDetails`.
    private static func ofrep(_ problem: Problem) -> Response {
        switch problem.status {
        case .unauthorized, .forbidden: Response(status: problem.status)
        default:
            Response(
                status: problem.status,
                json: ["errorCode": "GENERAL", "errorDetails": .string(problem.detail)])
        }
    }

    private static func page(_ problem: Problem, requestID: String) -> String {
        let isFault = problem.status.code >= 500
        return BarePage.render(
            problem.status.reasonPhrase, tone: isFault ? .ill : .calm, icon: isFault ? "ill" : "unknown",
            lines: [problem.detail], more: ("To the dashboard", "/"), small: "Request \(requestID)")
    }
}

enum HTMLText {
    static func escape(_ text: String) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

extension Request {
    /// A browser that loads a page says so; programs mostly say `*/*`.
    var wantsPage: Bool { headers[.accept]?.contains("text/html") ?? false }
}

extension Response {
    package init(status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], json: JSONValue) {
        var headers = headers
        headers[.contentType] = "application/json"
        self.init(
            status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: json.compactText)))
    }

    package init(html: String, status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: "text/html; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
    }
}
