public import Learners

/// A plan that policies are to act by, on a graph of states that are drawn from a dataset.
public struct PlanRequest: Sendable {
  /// The dataset's folder.
  public var dataset: String
  /// How the graph is made and used.
  public var settings: GraphPlanSettings

  /// Makes a request with the defaults for what is not given.
  public init(dataset: String, nodes: Int? = nil, edge: Double? = nil, aim: Double? = nil) {
    self.dataset = dataset
    let defaults = GraphPlanSettings()
    settings = GraphPlanSettings(
      nodes: nodes ?? defaults.nodes, edge: edge ?? defaults.edge, aim: aim)
  }
}
