/// Words out of a foreign file as a message has them: short, and without what a terminal would
/// obey.
public func shown(_ text: String) -> String {
  let plain = text.unicodeScalars.prefix(60).map {
    $0.properties.generalCategory == .control || $0 == "\u{2028}" || $0 == "\u{2029}"
      ? "?" : String($0)
  }
  return plain.joined() + (text.unicodeScalars.count > 60 ? "..." : "")
}

/// Names out of a foreign file as a line has them: each of them, up to `limit`, and how many there
/// are more.
public func shown(_ names: some Collection<String>, atMost limit: Int = 100) -> String {
  names.prefix(limit).map { shown($0) }.joined(separator: ", ")
    + (names.count > limit ? " and \(names.count - limit) more" : "")
}
