import Foundation
import Storage
import Support

/// An error of the system's libraries, as a sentence like ours: what cannot be done, where, and
/// why.
public struct Complaint: Error, CustomStringConvertible {
  /// The sentence.
  public let description: String

  /// Says what an error of Foundation's means; nil for any other, which has a sentence of its own.
  public init?(_ error: any Error) {
    switch error {
    case let error as EncodingError:
      guard case .invalidValue(let value, let context) = error else { return nil }
      description = "\(Self.place(context.codingPath)): can't be written as JSON, found \(value)"
    case let error as DecodingError:
      description = Self.words(error)
    default:
      guard type(of: error) is NSError.Type || error is CocoaError || error is POSIXError else {
        return nil
      }
      let info = (error as NSError).userInfo
      let path = info[NSFilePathErrorKey] as? String ?? (info[NSURLErrorKey] as? URL)?.path
      description = (path.map { $0 + ": " } ?? "") + systemReason(of: error)
    }
  }

  private static func words(_ error: DecodingError) -> String {
    switch error {
    case .keyNotFound(let key, let context):
      "\(place(context.codingPath)): must have '\(key.stringValue)', and has not"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      "\(place(context.codingPath)): must be \(type): \(context.debugDescription)"
    case .dataCorrupted(let context): "\(place(context.codingPath)): \(context.debugDescription)"
    @unknown default: "\(error)"
    }
  }

  private static func place(_ path: [any CodingKey]) -> String {
    path.isEmpty ? "the file" : "'" + path.map(\.stringValue).joined(separator: ".") + "'"
  }
}
