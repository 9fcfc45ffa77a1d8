import Foundation

// Our side of every benchmark. It prints `ready` and then, for each line of standard input, a
// number of seconds, works for about that long and prints `amount seconds`.

/// Serves lines: `work` does one piece and returns its amount.
func serve(_ work: () throws -> Double) throws {
  _ = try work()
  say("ready")
  while let line = readLine(), let wanted = Double(line) {
    let start = ContinuousClock.now
    var amount = 0.0
    var elapsed = 0.0
    repeat {
      amount += try work()
      elapsed = (ContinuousClock.now - start) / .seconds(1)
    } while elapsed < wanted
    say("\(amount) \(elapsed)")
  }
}

func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

let arguments = CommandLine.arguments.dropFirst()
switch arguments.first {
case "simulate": try simulate(threads: Int(arguments.last ?? "1") ?? 1)
case "simulate-only": try simulateOnly(threads: Int(arguments.last ?? "1") ?? 1)
case "collect": try collect(threads: Int(arguments.last ?? "1") ?? 1)
case "make-dataset": try makeDataset(arguments.last ?? "")
case "read-dataset": try readDataset(arguments.last ?? "")
case "write-compressed": try writeCompressed(arguments.last ?? "", threads: 2)
case "write-columns": try writeColumns()
case "write-shard": try writeShard()
case "read-columns": try readColumns()
case "map-columns": try mapColumns()
case "digest": try digest()
case "sample":
  let words = Array(arguments.dropFirst())
  guard words.count == 4, let millions = Int(words[1]) else { exit(64) }
  let packed = words[2] == "packed"
  if words[0] == "limit" {
    try sampleLimit(folder: words[3], millions: millions, packed: packed)
  } else {
    try sample(scheme: words[0], folder: words[3], millions: millions, packed: packed)
  }
case "make-shards":
  try makeShards(arguments.last ?? "", millions: Int(arguments.dropFirst().first ?? "1") ?? 1)
case "convert-in": try convertPickle(arguments.last ?? "", out: false)
case "convert-to": try convertDataset(arguments.last ?? "", to: arguments.dropFirst().first ?? "")
case "convert-from": try convertBack(arguments.last ?? "", from: arguments.dropFirst().first ?? "")
case "convert-flat": try convertFlat(arguments.last ?? "", to: arguments.dropFirst().first ?? "")
case "write-plainly": try writePlainly(beside: arguments.last ?? "")
case "convert-out": try convertPickle(arguments.last ?? "", out: true)
case "update":
  try update(arguments.dropFirst().first ?? "wgcsl", batch: Int(arguments.last ?? "512") ?? 512)
case "seeds":
  try seeds(
    arguments.dropFirst().first ?? "wgcsl", batch: 512, count: Int(arguments.last ?? "2") ?? 2)
case "transformer":
  guard let size = TransformerWork.Size(rawValue: arguments.last ?? "") else { exit(64) }
  try transformer(size)
case "model": try models(settings: arguments.last ?? "{}")
case "model-acts": try modelActs(settings: arguments.last ?? "{}")
case "products": try products(arguments.last ?? "")
case "film": try film(world: arguments.last ?? "fetch-push")
case "lander": try lander()
case "online": try onlineRun()
case "bootstrap": try bootstrap()
case "train": try endToEnd(arguments.dropFirst().first ?? "wgcsl", dataset: arguments.last ?? "")
default:
  say(
    "contender simulate THREADS | simulate-only THREADS | collect THREADS | make-dataset FOLDER | "
      + "read-dataset FOLDER | write-compressed FOLDER | write-columns | write-shard | read-columns | map-columns | "
      + "digest | convert-in FILE | convert-out FILE | convert-to FORMAT FOLDER | "
      + "convert-flat FORMAT FILE | write-plainly FILE | convert-from FORMAT FOLDER | "
      + "update LEARNER BATCH | transformer 3|50 | products gcsl|wgcsl|3|50 | seeds LEARNER COUNT | train LEARNER DATASET | "
      + "make-shards MILLIONS FOLDER | sample SCHEME|limit MILLIONS mapped|packed FOLDER | "
      + "film WORLD | lander | online | bootstrap | model SETTINGS | model-acts SETTINGS")
  exit(64)
}
