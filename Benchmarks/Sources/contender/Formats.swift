import Experiments
import Foundation

/// Converts WGCSL's pickle to a dataset again and again, or, with `out`, such a dataset to a
/// pickle.
///
/// The work is all that `goalpost convert` does: digests of the source and of every shard, fsync,
/// rename, statistics, rewards and successes. The pickle is `contenders/formats_numpy.py make`'s.
func convertPickle(_ file: String, out: Bool) throws {
  let pickle = URL(fileURLWithPath: file)
  let folder = pickle.deletingLastPathComponent()
  let data = folder.appendingPathComponent("data-\(getpid())")
  let back = folder.appendingPathComponent("back-\(getpid()).pkl")
  defer {
    try? FileManager.default.removeItem(at: data)
    try? FileManager.default.removeItem(at: back)
  }
  func convert(_ input: URL, to output: URL) throws -> Double {
    try? FileManager.default.removeItem(at: output)
    var request = DatasetConversion.Request(input, to: output)
    request.environment = out && input == data ? nil : "fetch-push"
    request.isSilent = true
    return Double(try DatasetConversion.run(request)[0].steps)
  }
  if out { _ = try convert(pickle, to: data) }
  try serve { try out ? convert(data, to: back) : convert(pickle, to: data) }
}

/// Converts a dataset to a foreign format again and again: digests of its shards, fsync and rename
/// included.
func convertDataset(_ dataset: String, to format: String) throws {
  let folder = try exportFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  try serve { try export(dataset, to: format, in: folder).steps }
}

/// Converts a dataset to a foreign format once, and that to a dataset again and again.
func convertBack(_ dataset: String, from format: String) throws {
  let folder = try exportFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  let foreign = try export(dataset, to: format, in: folder).url
  let back = folder.appendingPathComponent("back")
  try serve {
    try? FileManager.default.removeItem(at: back)
    var request = DatasetConversion.Request(foreign, to: back)
    request.isSilent = true
    return Double(try DatasetConversion.run(request)[0].steps)
  }
}

/// Converts the dataset that a pickle becomes to a foreign format again and again, beside the
/// pickle.
///
/// The amount is bytes of what comes out, which fsync has seen. `ogbench-f4` is OGBench's of a
/// dataset that came from OGBench's, whose floats have 4 bytes.
func convertFlat(_ pickle: String, to name: String) throws {
  let format = name.hasSuffix("-f4") ? String(name.dropLast(3)) : name
  let beside = URL(fileURLWithPath: pickle).deletingLastPathComponent()
    .appendingPathComponent("flat-\(getpid())")
  defer { try? FileManager.default.removeItem(at: beside) }
  let data = beside.appendingPathComponent("data")
  var request = DatasetConversion.Request(URL(fileURLWithPath: pickle), to: data)
  request.environment = "fetch-push"
  request.isSilent = true
  _ = try DatasetConversion.run(request)
  if name != format {
    request.input = try export(data.path, to: format, in: beside).url
    try FileManager.default.removeItem(at: data)
    _ = try DatasetConversion.run(request)
  }
  try serve { Double(try bytes(of: try export(data.path, to: format, in: beside).url)) }
}

/// Writes as many bytes as WGCSL's pickle has to the folder of `pickle` again and again, with one
/// fsync.
func writePlainly(beside pickle: String) throws {
  let file = URL(fileURLWithPath: pickle).deletingLastPathComponent()
    .appendingPathComponent("plain-\(getpid())")
  defer { try? FileManager.default.removeItem(at: file) }
  let contents = try Data(contentsOf: URL(fileURLWithPath: pickle))
  try serve {
    try? FileManager.default.removeItem(at: file)
    guard FileManager.default.createFile(atPath: file.path, contents: nil) else { exit(1) }
    let handle = try FileHandle(forWritingTo: file)
    try handle.write(contentsOf: contents)
    try handle.synchronize()
    try handle.close()
    return Double(contents.count)
  }
}

/// Bytes of a file, or of the files directly in a folder.
private func bytes(of url: URL) throws -> Int {
  var isFolder: ObjCBool = false
  _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
  let inside =
    isFolder.boolValue
    ? try FileManager.default.contentsOfDirectory(at: url, includingPropertiesForKeys: nil) : [url]
  return try inside.reduce(0) { sum, file in
    let size = try FileManager.default.attributesOfItem(atPath: file.path)[.size]
    return sum + ((size as? NSNumber)?.intValue ?? 0)
  }
}

private func exportFolder() throws -> URL {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("goalpost-benchmark-\(getpid())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  return folder
}

private func export(
  _ dataset: String, to format: String, in folder: URL
) throws -> (url: URL, steps: Double) {
  let output = folder.appendingPathComponent("push/written-v0")
  try? FileManager.default.removeItem(at: output)
  var request = DatasetConversion.Request(URL(fileURLWithPath: dataset), to: output)
  request.to = format
  request.isSilent = true
  return (output, Double(try DatasetConversion.run(request)[0].steps))
}
