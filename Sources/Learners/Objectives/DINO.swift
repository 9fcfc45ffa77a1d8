internal import Torch

/// The running mean of a teacher's outputs, which is taken from them so that no output prevails.
///
///     c ← m c + (1 − m) mean_n(z_n)
///
/// It begins with 0. Caron et al., "Emerging Properties in Self-Supervised Vision Transformers",
/// ICCV 2021, arXiv:2104.14294, equation 4. The tensor is state to be saved; `follow` changes it in
/// place.
struct Centre: Sendable {
  /// c, `[K]`.
  let tensor: Tensor
  private let momentum: Double

  init(outputs: Int, momentum: Double) {
    tensor = .zeros([outputs])
    self.momentum = momentum
  }

  /// Moves towards the mean of a teacher's outputs, `[..., K]`; after the loss, as the reference
  /// does.
  func follow(_ outputs: Tensor) {
    let mean = outputs.detached().reshaped([-1, tensor.count]).mean(along: 0)
    Tensor.average([tensor], towards: [mean], keep: momentum)
  }
}

/// Self-distillation with no labels.
///
///     p_t = softmax((z_t − c) / τ_t),   p_s = softmax(z_s / τ_s)
///     loss = −mean_n Σ_k p_t,nk ln p_s,nk
///
/// Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", ICCV 2021,
/// arXiv:2104.14294, equations 1 to 4; reference code github.com/facebookresearch/dino at 7c446df,
/// `main_dino.py`, `DINOLoss`. Over one view, and with K the number of actions, it is the log's
/// (github.com/miladsamim/GCRL at 63b1e7e, `gcsl/algo/dino_loss.py`).
///
/// No gradient reaches the teacher or the centre. A student that has collapsed has the loss 0 if
/// the teacher's outputs are sharp and always the same, and ln K where they are uniform (1.386 for
/// 4). It differs from the reference in: 1. losses alone are here, not its projection head; 2. the
/// centre follows when it is told, so validation leaves it alone, which the log's code does not.
///
/// Shapes: `N` rows, `K` outputs.
enum DINO {
  /// p_t, through which no gradient flows, of outputs `[..., K]`.
  static func targets(_ teacher: Tensor, centre: Tensor, temperature: Double) -> Tensor {
    ((teacher.detached() - centre) * (1 / temperature)).softmax()
  }

  /// −Σ_k p_t ln p_s for each row, `[...]`, of targets and the student's outputs `[..., K]`.
  static func crossEntropies(_ student: Tensor, targets: Tensor, temperature: Double) -> Tensor {
    (targets * (student * (1 / temperature)).logSoftmax()).sum(along: -1) * -1
  }

  /// The loss over one view, `[]`, of outputs `[N, K]` and the teacher's targets `[N, K]`.
  static func loss(_ student: Tensor, targets: Tensor, temperature: Double) -> Tensor {
    crossEntropies(student, targets: targets, temperature: temperature).mean()
  }

  /// The mean over all pairs of different views, `[]`; views beyond the teacher's are the student's
  /// only.
  static func loss(views students: [Tensor], targets: [Tensor], temperature: Double) -> Tensor {
    let losses = targets.indices.flatMap { q in
      students.indices.filter { $0 != q }.map {
        loss(students[$0], targets: targets[q], temperature: temperature)
      }
    }
    guard let first = losses.first else {
      preconditionFailure("two different views are compared, found \(students.count)")
    }
    return losses.dropFirst().reduce(first) { $0 + $1 } * (1 / Double(losses.count))
  }

  /// The mean entropy of the targets, in nats: 0 if they are sharp, ln K if they are uniform.
  static func entropy(_ targets: Tensor) -> Float {
    withoutGradients {
      let logarithms = targets.clamped(to: 1e-30...1).logarithm()
      return ((targets * logarithms).sum(along: -1) * -1).mean().float
    }
  }
}
