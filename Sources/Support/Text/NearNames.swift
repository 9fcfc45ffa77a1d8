/// Suggests names for one that is not there.
public enum NearNames {
  /// The known names within two edits of `name`, or of which it is a part, the nearest first.
  public static func of(_ name: String, among known: [String]) -> [String] {
    // A longer text is no slip of the pen, and the distance takes time in proportion to it.
    guard name.utf8.count <= 200 else { return [] }
    let spellings = [name.lowercased(), plain(name)].map(Array.init)
    let scored = known.compactMap { candidate -> (Int, String)? in
      let letters = Array(candidate.lowercased())
      let edits = spellings.reduce(Int.max) { min($0, distance($1, letters)) }
      let contained = !name.isEmpty && candidate.lowercased().contains(name.lowercased())
      return edits <= max(2, name.count / 4) || contained ? (contained ? 0 : edits, candidate) : nil
    }
    return scored.sorted { $0 < $1 }.prefix(3).map(\.1)
  }

  /// A name as other systems write it, in our spelling: `FetchReach-v4` is `fetch-reach`.
  private static func plain(_ name: String) -> String {
    name.replacing(/-v[0-9]+$/, with: "")
      .replacing(/([a-z0-9])([A-Z])/) { "\($0.1)-\($0.2)" }.lowercased()
  }

  /// The sentence for a name that is not there: the near names if there are any, or else all.
  public static func complaint(_ kind: String, _ name: String, among known: [String]) -> String {
    let near = of(name, among: known)
    return near.isEmpty
      ? "no \(kind) is called '\(short(name))'; there are: \(known.joined(separator: ", "))"
      : "no \(kind) is called '\(name)': did you mean \(near.joined(separator: " or "))?"
  }

  /// The first characters of a name.
  private static func short(_ name: String) -> String {
    name.utf8.count <= 200 ? name : name.prefix(60) + "..."
  }

  /// Levenshtein's distance.
  static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var row = Array(0...b.count)
    for i in 0..<a.count {
      var diagonal = row[0]
      row[0] = i + 1
      for j in 0..<b.count {
        let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (a[i] == b[j] ? 0 : 1))
        diagonal = row[j + 1]
        row[j + 1] = next
      }
    }
    return row[b.count]
  }
}
