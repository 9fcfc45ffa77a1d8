/// Where a column's numbers come from.
public enum ColumnOrigin: String, Codable, Sendable {
  /// Recorded while the episode was made.
  case native
  /// Worked out later from other columns.
  case computed
  /// Not there.
  case absent
}
