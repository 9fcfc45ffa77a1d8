import Foundation
import TestSupport
import Testing

/// `goalpost list` of real datasets and runs, whole and not.
struct ListTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func shell(_ lines: String) throws -> Program.Result {
    let result = try Program.shell("set -e\n" + lines, in: folder.url)
    #expect(result.status == 0, "\(lines): \(result.error)")
    return result
  }

  /// What is printed with sizes left out, which depend on the machine's name.
  func withoutSizes(_ text: String) -> String {
    text.replacing(/[0-9.]+ [kM]B +/, with: "SIZE ").replacing(/size +/, with: "size ")
  }

  func collect(_ output: String, policy: String = "random") -> String {
    """
    $G collect --environment point-reach --policy \(policy) --episodes 12 --seed 1 \
    --shard-episodes 4 --output '\(output)'

    """
  }

  @Test func aTableSaysWhatEachIsAndWhatItWasMadeFrom() throws {
    let result = try shell(
      collect("data/random") + collect("data/expert", policy: "scripted")
        + """
        $G mix data/random data/expert --where 'success = 1' --output data/good
        $G train --learner gcsl --dataset data/good --updates 20 --seed 1 \
          --set 'hiddenWidths=[4]' --checkpoint-every 10 --evaluate-every 0 --output runs/one
        $G train --learner gcsl --dataset data/good --updates 5 --seed 1 --from runs/one \
          --evaluate-every 0 --output runs/two
        mkdir -p elsewhere && mv data/expert elsewhere/moved
        mv data/random away
        cp -R runs/one/checkpoints/000000010 alone
        ln -s ../.. data/circle; ln -s ../data/good runs/again; ln -s nowhere lost
        ln -s "$PWD/away" elsewhere/link
        mkdir .hidden && cp -R data/good .hidden/good
        $G list . 2> notes
        cat notes
        """)
    let digest = try #require(
      result.output.firstMatch(of: /data\/random: .*sha256 ([0-9a-f]{12})/)
    ).1
    let table = result.output.split(separator: "\npath").dropFirst().joined()
    #expect(
      withoutSizes("path" + table)
        == """
        path                            kind        about                size episodes  updates  state  lineage
        alone                           checkpoint  gcsl on point-reach  SIZE –         10       whole  dataset data/good
        away                            dataset     point-reach          SIZE 12        –        whole  policy random
        data/good                       dataset     point-reach          SIZE 12        –        whole  input away, elsewhere/moved
        elsewhere/moved                 dataset     point-reach          SIZE 12        –        whole  policy scripted
        runs/one                        run         gcsl on point-reach  SIZE –         20       whole  dataset data/good
        runs/one/checkpoints/000000010  checkpoint  gcsl on point-reach  SIZE –         10       whole  run runs/one
        runs/one/checkpoints/000000020  checkpoint  gcsl on point-reach  SIZE –         20       whole  run runs/one
        runs/two                        run         gcsl on point-reach  SIZE –         25       whole  dataset data/good; began with runs/one (sha256 X)
        runs/two/checkpoints/000000025  checkpoint  gcsl on point-reach  SIZE –         25       whole  run runs/two
        folders whose names begin with a dot are not looked into: 1 left out
        links to folders that are listed already, or lie around ., are not followed: 3 left out

        """.replacing("(sha256 X)", with: try beganWith(result.output)))
    // What is not in the folder is named by its digest.
    let one = try shell("$G list data/good")
    #expect(
      one.output.contains("input random (sha256 \(digest)), expert (sha256 "), "\(one.output)")

    let json = try shell("$G list . --json")
    let found = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    let entries = try #require(found["entries"] as? [[String: Any]])
    #expect(entries.count == 9)
    let parents = try #require(entries[2]["lineage"] as? [[String: String]])
    #expect(parents.map { $0["path"] } == ["away", "elsewhere/moved"])
    #expect(parents[0]["sha256"]?.prefix(12) == digest)
    let csv = try shell("$G list . --format csv").output.split(separator: "\n")
    #expect(csv[0] == "path,kind,about,size,episodes,updates,state,lineage")
    #expect(csv.count == 10 && csv[2].contains(",12,,whole,policy random"))
  }

  private func beganWith(_ output: String) throws -> String {
    String(try #require(output.firstMatch(of: /\(sha256 [0-9a-f]{12}\)/)).0)
  }

  @Test func whatIsNotWholeIsSaid() throws {
    _ = try shell(
      collect("whole") + collect("a\u{1b}[31m\nb") + """
        for name in begun bare lacking short altered; do cp -R whole $name; done
        rm begun/manifest.json begun/shards/shard-00001.*
        rm bare/manifest.json
        rm lacking/shards/shard-0000*.h5
        truncate -s 100 short/shards/shard-00002.h5
        sed -i 's/"episodes" : 12/"episodes" : 13/' altered/manifest.json
        # The same size and other bytes: no digest of a shard is computed.
        tr 'a-z' 'A-Z' < whole/shards/shard-00000.h5 > other
        cat other > whole/shards/shard-00000.h5
        mkdir recipe && printf '%s\\n' 'environment: point-reach' 'policy: random' \
          'episodes: 7' 'seed: 0' > recipe/recipe.yaml
        mkdir foreign && echo '{"name": "x"}' > foreign/config.json
        mkdir -p run/checkpoints && cp foreign/config.json run/config.json
        mkdir policy && head -c 100 run/config.json > policy/policy.safetensors
        """)
    let result = try Program.run(["list"], in: folder.url)
    #expect(result.status == 0)
    let states = result.output.split(separator: "\n").dropFirst().map { line in
      withoutSizes(String(line)).replacing(#/ +/#, with: " ")
    }
    #expect(
      states == [
        "a\\u001b[31m\\u000ab dataset point-reach SIZE 12 – whole policy random",
        "altered dataset – SIZE – – damaged",
        "bare dataset point-reach SIZE 12 – unfinished, without a manifest policy random",
        "begun dataset point-reach SIZE 8 – unfinished, of 12 episodes policy random",
        "lacking dataset point-reach SIZE 0 – not collected, of 12 episodes policy random",
        "policy checkpoint – SIZE – – damaged",
        "recipe dataset point-reach SIZE 0 – not collected, of 7 episodes policy random",
        "run run – SIZE – – damaged",
        "short dataset point-reach SIZE 8 – damaged policy random",
        "whole dataset point-reach SIZE 12 – whole policy random",
      ])
    let notes = result.error.split(separator: "\n")
    #expect(notes.count == 4, "\(result.error)")
    for (note, part) in zip(
      notes,
      [
        "altered/manifest.json: was altered", "policy/policy.safetensors: a header of ",
        "run/config.json: ", "short/shards/shard-00002.h5: was altered: it must have ",
      ])
    { #expect(note.contains(part), "\(note)") }
    for (name, sentence) in [
      ("nowhere", "is missing"), ("other", "must be a folder, found a file"),
    ] {
      let refused = try Program.run(["list", name], in: folder.url)
      #expect(refused.status == 1 && refused.error.contains(sentence), "\(refused)")
    }
    try FileManager.default.createDirectory(
      at: folder.url.appendingPathComponent("empty"), withIntermediateDirectories: true)
    let none = try Program.run(["list", "empty"], in: folder.url)
    #expect(none.output == "empty: no dataset, run, checkpoint or study was found\n")
  }

  @Test func studiesAreListedWithTheirRuns() throws {
    let study = PythonReference.checkout.appendingPathComponent("notebooks-export/wgcsl-offline")
    let rows =
      try String(contentsOf: study.appendingPathComponent("runs.csv"), encoding: .utf8)
      .split(separator: "\n").count - 1
    let result = try Program.run(["list", study.path, "--format", "csv"], in: folder.url)
    #expect(result.output.contains(",study,\(rows) runs,"), "\(result)")
  }
}
