import Foundation
import Reporting

/// A dataset as the command line names it: `FOLDER`, or `FOLDER:WEIGHT`.
enum WeightedDataset {
  /// The folder, and the weight after the last colon; a folder of that whole name comes first.
  static func parts(of text: String) throws -> (path: String, weight: Double?) {
    guard let colon = text.lastIndex(of: ":"), !FileManager.default.fileExists(atPath: text) else {
      return (text, nil)
    }
    let weight = Double(text[text.index(after: colon)...])
    guard let weight, OptionRange.weight ~= weight else {
      throw ExperimentError.cannotMix(
        path: text,
        reason: "a weight must be a number from "
          + "\(ReportText.short(OptionRange.weight.lowerBound)) to "
          + "\(ReportText.short(OptionRange.weight.upperBound)), as in DATASET:0.1")
    }
    return (String(text[..<colon]), weight)
  }

  /// The folder, without its weight.
  static func folder(of text: String) -> URL {
    URL(fileURLWithPath: (try? parts(of: text))?.path ?? text)
  }
}
