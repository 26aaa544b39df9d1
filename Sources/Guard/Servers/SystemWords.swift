import NIOCore

/// What the system said of a socket, as people say it.
enum SystemWords {
    static func say(_ error: IOError) -> String {
        switch error.errnoCode {
        case 111, 61: "connection refused"
        case 110, 60: "no answer in time"
        case 113, 65: "no route to it"
        case 101, 51: "its network cannot be reached"
        case 104, 54: "connection reset"
        case 98, 48: "the address is in use already"
        case 99, 49: "this machine does not have the address"
        case 13: "not allowed"
        case 2: "there is no such socket"
        case 24, 23: "too many open files (ulimit -n)"
        default: error.description
        }
    }
}
