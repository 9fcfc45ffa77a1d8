import ArgumentParser
import Experiments
import Foundation
import Reporting
import Support

/// The help of an option or argument, in which its value has a name such as `N` or `DIR`.
func help(_ text: String, of value: String) -> ArgumentHelp {
  ArgumentHelp(text, valueName: value)
}

/// Refuses a number that is out of its range.
func check<Number: Comparable>(
  _ value: Number?, _ name: String, in range: ClosedRange<Number>
) throws {
  if let value, !(range ~= value) {
    throw ValidationError(
      "\(name) must be from \(range.lowerBound) to \(range.upperBound), found \(value)")
  }
}

/// Refuses a seed that is not below 2²⁸.
func checkSeed(_ seed: UInt64?) throws {
  if let seed, seed >= RunConfiguration.seedLimit {
    throw ValidationError(
      "--seed must be below 2^28 (\(RunConfiguration.seedLimit)), found \(seed)")
  }
}

/// Refuses noise out of its range and what is no probability.
func checkExploration(noise: Double, randomActions: Double) throws {
  guard OptionRange.noise ~= noise else {
    throw ValidationError(
      "--noise must be from 0 to \(Int(OptionRange.noise.upperBound)), found \(noise)")
  }
  guard 0...1 ~= randomActions else {
    throw ValidationError("--random-actions must be a probability, from 0 to 1")
  }
}

/// A seed for a call that was given none; it is printed when work begins, and saved with what the
/// call makes.
func drawnSeed() -> UInt64 {
  let seed = UInt64.random(in: 0..<RunConfiguration.seedLimit)
  Console.noteAtStart("--seed was not given: drew \(seed)")
  Invocation.add(["--seed", "\(seed)"])
  return seed
}

/// Prints a value as JSON on standard output.
func printJSON(_ value: some Encodable) throws {
  Console.print(String(decoding: try JSON.pretty(value), as: UTF8.self))
}
