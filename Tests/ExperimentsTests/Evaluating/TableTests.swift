import Statistics
import Testing

@testable import Experiments
@testable import Reporting

/// Tables in the formats that papers and programs take.
struct TableTests {
  static var table: Table {
    var table = Table(["method", "success", "difference − first"])
    table.rows = [
      [
        "a_b & 100 % {c} #1",
        Estimate(estimate: 0.94, low: 0.8751234567890123, high: 0.972, episodes: 50),
        Estimate(estimate: -0.02, low: -0.05, high: 1 / 96, episodes: 50),
      ],
      ["[x|y] $^~\\ <1", Estimate?.none, "\"two\", words"],
    ]
    return table
  }

  @Test func latexHasNoCommandsOfItsCells() {
    #expect(
      Self.table.rendered(as: .latex) == ##"""
        \begin{tabular}{lrr}
        \hline
        method & success & difference $-$ first \\
        \hline
        a\_b \& 100 \% \{c\} \#1 & 0.940 [0.875, 0.972] & $-$0.020 [$-$0.050, 0.010] \\
        {}[x|y] \$\textasciicircum{}\textasciitilde{}\textbackslash{} $<$1 & -- & "two", words \\
        \hline
        \end{tabular}

        """##)
  }

  @Test func theOthersKeepTheirCellsApart() {
    #expect(
      Self.table.rendered(as: .md).contains(
        #"| [x\|y] $^~\ <1 | – | "two", words |"#))
    // In a file for programs an estimate and its interval are three numbers, with all their digits.
    #expect(
      Self.table.rendered(as: .csv) == #"""
        method,success,success_low,success_high,difference − first,difference − first_low,difference − first_high
        a_b & 100 % {c} #1,0.94,0.8751234567890123,0.972,-0.02,-0.05,0.010416666666666666
        [x|y] $^~\ <1,,,,"""two"", words",,

        """#)
    let lines = Self.table.rendered(as: .text).split(separator: "\n")
    #expect(lines.count == 3 && lines[0].hasPrefix("method              success"))
  }
}
