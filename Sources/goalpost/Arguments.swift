import ArgumentParser
import Experiments
import Foundation

/// Refuses a count that is below 1.
func checkPositive(_ value: Int?, _ name: String) throws {
  if let value, value < 1 { throw ValidationError("\(name) must be at least 1, found \(value)") }
}

/// Refuses a seed that is not below 2²⁸.
func checkSeed(_ seed: UInt64?) throws {
  if let seed, seed >= RunConfiguration.seedLimit {
    throw ValidationError(
      "--seed must be below 2^28 (\(RunConfiguration.seedLimit)), found \(seed)")
  }
}

/// Refuses noise below 0 and what is no probability.
func checkExploration(noise: Double, randomActions: Double) throws {
  guard noise >= 0 else { throw ValidationError("--noise must be at least 0") }
  guard 0...1 ~= randomActions else {
    throw ValidationError("--random-actions must be a probability, from 0 to 1")
  }
}

/// A seed for a call that was given none; it is printed, and saved with what the call makes.
func drawnSeed() -> UInt64 {
  let seed = UInt64.random(in: 0..<RunConfiguration.seedLimit)
  Console.note("--seed was not given: drew \(seed)")
  Invocation.add(["--seed", "\(seed)"])
  return seed
}

/// Prints a value as JSON on standard output.
func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
  Console.print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
