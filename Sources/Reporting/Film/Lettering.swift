package import GoalCore

/// Capital letters and digits of five by seven dots, for what pictures say.
enum Lettering {
  /// The rows of a glyph from the top, their five dots as bits, the left one highest.
  private static let glyphs: [Character: [UInt8]] = [
    "0": [14, 17, 19, 21, 25, 17, 14], "1": [4, 12, 4, 4, 4, 4, 14],
    "2": [14, 17, 1, 2, 4, 8, 31], "3": [31, 2, 4, 2, 1, 17, 14],
    "4": [2, 6, 10, 18, 31, 2, 2], "5": [31, 16, 30, 1, 1, 17, 14],
    "6": [6, 8, 16, 30, 17, 17, 14], "7": [31, 1, 2, 4, 8, 8, 8],
    "8": [14, 17, 17, 14, 17, 17, 14], "9": [14, 17, 17, 15, 1, 2, 12],
    "A": [14, 17, 17, 31, 17, 17, 17], "B": [30, 17, 17, 30, 17, 17, 30],
    "C": [14, 17, 16, 16, 16, 17, 14], "D": [30, 17, 17, 17, 17, 17, 30],
    "E": [31, 16, 16, 30, 16, 16, 31], "F": [31, 16, 16, 30, 16, 16, 16],
    "G": [14, 17, 16, 23, 17, 17, 14], "H": [17, 17, 17, 31, 17, 17, 17],
    "I": [14, 4, 4, 4, 4, 4, 14], "J": [7, 2, 2, 2, 2, 18, 12],
    "K": [17, 18, 20, 24, 20, 18, 17], "L": [16, 16, 16, 16, 16, 16, 31],
    "M": [17, 27, 21, 21, 17, 17, 17], "N": [17, 25, 21, 19, 17, 17, 17],
    "O": [14, 17, 17, 17, 17, 17, 14], "P": [30, 17, 17, 30, 16, 16, 16],
    "Q": [14, 17, 17, 17, 21, 18, 13], "R": [30, 17, 17, 30, 20, 18, 17],
    "S": [15, 16, 16, 14, 1, 1, 30], "T": [31, 4, 4, 4, 4, 4, 4],
    "U": [17, 17, 17, 17, 17, 17, 14], "V": [17, 17, 17, 17, 17, 10, 4],
    "W": [17, 17, 17, 21, 21, 21, 10], "X": [17, 17, 10, 4, 10, 17, 17],
    "Y": [17, 17, 10, 4, 4, 4, 4], "Z": [31, 1, 2, 4, 8, 16, 31],
  ]

  /// The dots of a text, row by row: `(column, row)` in units of a dot, six columns a character.
  static func dots(_ text: String) -> [(x: Int, y: Int)] {
    text.enumerated().flatMap { place, character -> [(x: Int, y: Int)] in
      (glyphs[character] ?? []).enumerated().flatMap { y, row in
        (0..<5).filter { row & (16 >> UInt8($0)) != 0 }.map { (x: 6 * place + $0, y: y) }
      }
    }
  }
}

extension Picture {
  /// Writes capitals and digits onto a band of a colour in the corner at the top left, inside the
  /// frame.
  package mutating func label(_ text: String, _ colour: (UInt8, UInt8, UInt8)) {
    let dot = max(1, width / 160)
    let margin = max(2, width / 64)
    let dots = Lettering.dots(text)
    fill(
      margin, margin, (6 * text.count + 3) * dot, 11 * dot, colour)
    for place in dots {
      fill(margin + (place.x + 2) * dot, margin + (place.y + 2) * dot, dot, dot, (255, 255, 255))
    }
  }

  /// Draws a frame inside the edge.
  package mutating func frame(_ colour: (UInt8, UInt8, UInt8), thickness: Int) {
    fill(0, 0, width, thickness, colour)
    fill(0, height - thickness, width, thickness, colour)
    fill(0, 0, thickness, height, colour)
    fill(width - thickness, 0, thickness, height, colour)
  }

  private mutating func fill(
    _ x: Int, _ y: Int, _ wide: Int, _ high: Int, _ colour: (UInt8, UInt8, UInt8)
  ) {
    let columns = max(0, x)..<max(0, min(width, x + wide))
    for row in max(0, y)..<max(0, min(height, y + high)) {
      for column in columns {
        let at = (row * width + column) * 3
        bytes[at] = colour.0
        bytes[at + 1] = colour.1
        bytes[at + 2] = colour.2
      }
    }
  }
}
