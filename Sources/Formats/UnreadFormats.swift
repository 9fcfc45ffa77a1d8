import Foundation
import SafeHDF5
import Storage
import Support

/// Formats that are known by their looks and not read, with what to do instead.
enum UnreadFormats {
  /// A sentence about a file or folder that is of such a format; nil if it looks like none.
  static func reason(for url: URL) -> String? {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      return nil
    }
    return isFolder.boolValue ? folder(url) : file(url)
  }

  private static func folder(_ url: URL) -> String? {
    func has(_ path: String) -> Bool {
      FileManager.default.fileExists(atPath: url.appendingPathComponent(path).path)
    }
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted()
    if has(".zgroup") || has("zarr.json") || url.pathExtension == "zarr" {
      return
        "is a zarr store, as of diffusion policy, which is not read: copy its arrays with zarr and h5py into "
        + "D4RL's layout"
    }
    if has("dataset_info.json") || names.contains(where: { has("\($0)/dataset_info.json") })
      || names.contains(where: { $0.contains(".tfrecord") })
    {
      return "is an RLDS or TFDS dataset of TFRecord files, which are not read: load it with "
        + "tensorflow_datasets and save its steps with h5py in D4RL's layout"
    }
    if names.contains(where: { $0.hasSuffix(".parquet") || $0.hasSuffix(".arrow") }) {
      return
        "has Parquet or Arrow files and no meta/info.json, as LeRobot has, so they are not read: save their columns "
        + "with h5py in D4RL's layout"
    }
    if names.contains(where: { $0.wholeMatch(of: #/episode_\d+\.hdf5/#) != nil }) {
      return
        "has an HDF5 file for each episode, as of ACT and ALOHA, which are not read: join them in "
        + "robomimic's layout, a group data/demo_<k> each"
    }
    let inner = names.filter { has("\($0)/data/main_data.hdf5") }
    if !inner.isEmpty {
      return
        "has \(inner.count) Minari datasets: name one of them, \(inner.prefix(8).map(shown).joined(separator: ", "))"
    }
    return nil
  }

  private static func file(_ url: URL) -> String? {
    let first = firstBytes(of: url, 8)
    func begins(_ bytes: [UInt8]) -> Bool { first.starts(with: bytes) }
    if begins([0x1f, 0x8b]) {
      return "is packed with gzip, which is not read: unpack it with `gunzip` first"
    }
    if begins([0x28, 0xb5, 0x2f, 0xfd]) {
      return "is packed with zstd, which is not read: unpack it with `unzstd` first"
    }
    if begins(Array("PAR1".utf8)) {
      return
        "is a Parquet file, which is not read alone: name the folder of a LeRobot dataset that it is of, or save "
        + "its columns with h5py in D4RL's layout"
    }
    if begins(Array("ARROW1".utf8)) {
      return "is an Arrow file, which is not read: save its columns with h5py in D4RL's layout"
    }
    if begins([0x50, 0x4b]) { return archive(url) }
    if begins([0x89, 0x48, 0x44, 0x46]) { return hdf5(url) }
    if let code = first.first,
      [UInt8(ascii: "("), UInt8(ascii: "}"), UInt8(ascii: "]")].contains(code),
      ["pkl", "pickle", "p"].contains(url.pathExtension)
    {
      return "looks like a pickle of protocol 0 or 1, which is not read: save it again with "
        + "pickle.dump(data, file, protocol=4)"
    }
    return nil
  }

  /// A sentence about a zip archive.
  private static func archive(_ url: URL) -> String {
    let names = NumpyArchive.names(in: url)
    let arrays = names.filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) }
    if names.contains("data.pkl") || names.contains("policy.pth") {
      return
        "is a model of stable-baselines3 or PyTorch and no dataset: name the file of its replay buffer"
    }
    let listed = arrays.prefix(12).map(shown).joined(separator: ", ")
    if ["image", "action"].allSatisfy(arrays.contains) {
      return
        "is an .npz of \(listed), as of V-D4RL and DreamerV2: its observations are pictures, which no "
        + "learner here reads"
    }
    if arrays.isEmpty { return "is a zip archive without arrays of numpy" }
    return
      "is an .npz of \(listed), which are those of no format that is read: --from names the one that is "
      + "nearest, to hear what it lacks"
  }

  /// A sentence about an HDF5 file.
  private static func hdf5(_ url: URL) -> String? {
    guard let root = try? SafeFile(contentsOf: url).root() else { return nil }
    let names = root.names
    if ["ep_len", "ep_offset"].allSatisfy(names.contains) {
      return
        "is a file of stable-worldmodel, which is not read: save its rows in D4RL's layout, with timeouts "
        + "at the ends of episodes"
    }
    if names.contains("action"), names.contains("observations") {
      return
        "is an episode of ACT or ALOHA, which are not read: join the episodes in robomimic's layout, a "
        + "group data/demo_<k> each"
    }
    if names.contains("total_size") || names.contains("episode_size")
      || names.contains(where: { $0.wholeMatch(of: #/observations_\d+/#) != nil })
    {
      return "is a buffer of d3rlpy 2, which is not read: save its episodes in D4RL's layout"
    }
    let listed = names.prefix(12).map(shown).joined(separator: ", ")
    return
      "is an HDF5 file of \(listed), which are those of no format that is read: --from names the one that is "
      + "nearest, to hear what it lacks"
  }
}
