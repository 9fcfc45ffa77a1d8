import ArgumentParser
import Experiments
import Foundation
import Reporting

/// The subcommand `goalpost list [<folder>]`.
struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the datasets, runs, checkpoints and studies in a folder and below it.",
    discussion: """
      goalpost list runs
      goalpost list . --format csv

      Prints what each is, its size, how many episodes or updates it has, whether it is whole, and \
      what it was made from. A dataset is found by its digest, whatever its folder is called. \
      Reads manifests and other small files only: sizes of shards are compared, their digests are \
      not (see `goalpost verify`). A size counts all files in the folder, and a file with several \
      names each time.
      """)

  @Argument(
    help: help("The folder to look in.", of: "DIR"), completion: .directory)
  var folder: String = "."

  @Option(
    help: help("How to print the table: \(TableFormat.names).", of: "FORMAT"),
    completion: .list(TableFormat.allCases.map(\.rawValue)))
  var format: String = TableFormat.text.rawValue

  @Flag(help: "Print everything as JSON.")
  var json = false

  func validate() throws {
    guard TableFormat(rawValue: format) != nil else {
      throw ValidationError("--format must be one of \(TableFormat.names), found '\(format)'")
    }
  }

  func run() throws {
    let found = try FolderListing.run(folder)
    if json { return try printJSON(found) }
    Console.print(found.text(TableFormat(rawValue: format) ?? .text), terminator: "")
    for note in found.notes { Console.note(note) }
  }
}
