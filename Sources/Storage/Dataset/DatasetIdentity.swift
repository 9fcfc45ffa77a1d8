public import GoalCore
public import Support

/// All that decides a dataset's bytes; two writers may only share a folder if theirs are equal.
public struct DatasetIdentity: Codable, CheckedValue, Equatable {
  /// The layout's version.
  public let schema: Int
  /// The dataset's id, such as `fetch-push-random-v0`.
  public let id: String
  /// The world's goal side.
  public let task: GoalTask
  /// The request.
  public let origin: DatasetOrigin
  /// Numbers in a simulator state, 0 if none are kept.
  public let stateLength: Int
  /// The shape of an image, `[H, W, C]`; empty if none are kept.
  public let imageShape: [Int]
  /// Whether the policy was categorical, so that actions have log-probabilities.
  public let isCategorical: Bool
  /// The SHA-256 of the world's model, or nil if it has none.
  public let modelDigest: String?
  /// Versions of the libraries that decide the numbers, by name.
  public let libraries: [String: String]

  /// Makes the identity, of the present schema, of a dataset that is collected.
  public init(
    id: String, task: GoalTask, recipe: Recipe, stateLength: Int = 0, imageShape: [Int] = [],
    isCategorical: Bool = false, modelDigest: String? = nil, libraries: [String: String] = [:]
  ) {
    self.init(
      id: id, task: task, origin: .collected(recipe), stateLength: stateLength,
      imageShape: imageShape, isCategorical: isCategorical, modelDigest: modelDigest,
      libraries: libraries)
  }

  /// Makes an identity of the present schema.
  public init(
    id: String, task: GoalTask, origin: DatasetOrigin, stateLength: Int, imageShape: [Int] = [],
    isCategorical: Bool, modelDigest: String?, libraries: [String: String]
  ) {
    schema = Manifest.schema
    self.id = id
    self.task = task
    self.origin = origin
    self.stateLength = stateLength
    self.imageShape = imageShape
    self.isCategorical = isCategorical
    self.modelDigest = modelDigest
    self.libraries = libraries
    checkMade()
  }

  /// Throws `InvalidValue` for the first part that breaks a rule.
  public func check() throws(InvalidValue) {
    try InvalidValue.require(stateLength, in: 0...SizeLimit.numbers, "stateLength")
    try InvalidValue.require(
      imageShape.isEmpty
        || imageShape.count == 3 && imageShape.allSatisfy { 1...SizeLimit.numbers ~= $0 }
          && imageShape.clampedProduct <= 1 << 28,
      "imageShape", "must be empty, or three lengths of at most 2^28 bytes in all",
      found: "\(imageShape)")
    if let modelDigest { try InvalidValue.requireDigest(modelDigest, "modelDigest") }
    guard let recipe else { return }
    try InvalidValue.require(recipe, "recipe")
    try InvalidValue.require(
      recipe.states == (stateLength > 0), "stateLength",
      "must be \(recipe.states ? "above 0" : "0"), as the recipe says of states",
      found: "\(stateLength)")
    try InvalidValue.require(
      (recipe.images == true) == !imageShape.isEmpty, "imageShape",
      "must be \(recipe.images == true ? "there" : "empty"), as the recipe says of images",
      found: "\(imageShape)")
  }

  /// The recipe of a collected dataset; nil for other datasets.
  public var recipe: Recipe? {
    if case .collected(let recipe) = origin { recipe } else { nil }
  }

  /// The inputs of a mixture; nil for other datasets.
  public var mixture: Mixture? {
    if case .mixed(let mixture) = origin { mixture } else { nil }
  }

  /// The source of a converted dataset; nil for other datasets.
  public var conversion: Conversion? {
    if case .converted(let conversion) = origin { conversion } else { nil }
  }

  private enum CodingKeys: String, CodingKey {
    case schema, id, task, stateLength, imageShape, isCategorical, modelDigest, libraries
  }

  /// Reads an identity, whose origin is an entry beside the others; throws `InvalidValue` for one
  /// that is none.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    schema = try container.decode(Int.self, forKey: .schema)
    id = try container.decode(String.self, forKey: .id)
    task = try container.decode(GoalTask.self, forKey: .task)
    origin = try DatasetOrigin(from: decoder)
    stateLength = try container.decode(Int.self, forKey: .stateLength)
    imageShape = try container.decodeIfPresent([Int].self, forKey: .imageShape) ?? []
    isCategorical = try container.decodeIfPresent(Bool.self, forKey: .isCategorical) ?? false
    modelDigest = try container.decodeIfPresent(String.self, forKey: .modelDigest)
    libraries = try container.decode([String: String].self, forKey: .libraries)
    try check(in: decoder)
  }

  /// Writes an identity, with its origin as an entry beside the others.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(schema, forKey: .schema)
    try container.encode(id, forKey: .id)
    try container.encode(task, forKey: .task)
    try origin.encode(to: encoder)
    try container.encode(stateLength, forKey: .stateLength)
    if !imageShape.isEmpty { try container.encode(imageShape, forKey: .imageShape) }
    if isCategorical { try container.encode(true, forKey: .isCategorical) }
    try container.encodeIfPresent(modelDigest, forKey: .modelDigest)
    try container.encode(libraries, forKey: .libraries)
  }

  /// Whether another is the same but for more episodes: what there is of this is a part of it.
  func isBeginning(of other: DatasetIdentity) -> Bool {
    guard var grown = recipe, let wanted = other.recipe?.episodes, grown.episodes < wanted,
      schema == other.schema
    else { return false }
    grown.episodes = wanted
    let same = DatasetIdentity(
      id: id, task: task, origin: .collected(grown), stateLength: stateLength,
      imageShape: imageShape, isCategorical: isCategorical, modelDigest: modelDigest,
      libraries: libraries)
    return same == other
  }

  /// The first setting in which another differs, as its path and both values; nil if they are
  /// equal.
  func firstDifference(
    from other: DatasetIdentity
  ) throws(FileError) -> (setting: String, mine: String, other: String)? {
    if self == other { return nil }
    return JSONValue(self).firstDifference(from: JSONValue(other), path: "")
  }
}
