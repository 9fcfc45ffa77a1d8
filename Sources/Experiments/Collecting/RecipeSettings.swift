import Foundation
import GoalCore
import Learners
import Storage
import Support

/// The part of a recipe that a file may leave out.
struct RecipeSettings: Codable {
  var environment: String
  var policy: String
  var episodes: Int
  var seed: UInt64
  var noise: Double
  var randomActions: Double
  var shardEpisodes: Int
  var compress: Bool
  var states: Bool
  var images: Bool
  /// Empty for none.
  var goals: String

  static func applying(
    _ values: [String: JSONValue], to recipe: Recipe, file: URL
  ) throws -> Recipe {
    let base = RecipeSettings(
      environment: recipe.environment, policy: recipe.policy, episodes: recipe.episodes,
      seed: recipe.seed, noise: recipe.noise, randomActions: recipe.randomActions,
      shardEpisodes: recipe.shardEpisodes, compress: recipe.compress, states: recipe.states,
      images: recipe.images == true, goals: recipe.goals ?? "")
    let all: RecipeSettings
    do { all = try Settings.applying(values, to: base) } catch let error as SettingsError {
      throw ExperimentError.badSettings(path: file.path, reason: error.description)
    }
    let asked = Recipe(
      environment: all.environment, policy: all.policy, seed: all.seed, episodes: all.episodes,
      noise: all.noise, randomActions: all.randomActions, shardEpisodes: all.shardEpisodes,
      compress: all.compress, states: all.states, images: all.images,
      goals: all.goals.isEmpty ? nil : all.goals)
    do { try asked.check() } catch {
      throw ExperimentError.badSettings(path: file.path, reason: "\(error)")
    }
    return asked
  }
}
