/** Runs in the browser's audio thread: hands over what comes in as interleaved 16-bit samples, a tenth of a second at a time. */

class SampleCollector extends AudioWorkletProcessor {
  #pieces = []
  #frames = 0

  constructor() {
    super()
    // Asked for the end, it gives what it still has, and says that this was all.
    this.port.onmessage = () => {
      this.#handOver()
      this.port.postMessage(null)
    }
  }

  process([channels = []]) {
    const frames = channels[0]?.length ?? 0
    if (frames === 0) return true
    const piece = new Int16Array(frames * channels.length)
    channels.forEach((samples, channel) => {
      for (let frame = 0; frame < frames; frame += 1) {
        const sample = Math.max(-1, Math.min(1, samples[frame]))
        piece[frame * channels.length + channel] = Math.round(sample * 32767)
      }
    })
    this.#pieces.push(piece)
    this.#frames += frames
    if (this.#frames >= sampleRate / 10) this.#handOver()
    return true
  }

  #handOver() {
    const length = this.#pieces.reduce((sum, piece) => sum + piece.length, 0)
    const all = new Int16Array(length)
    let at = 0
    for (const piece of this.#pieces) {
      all.set(piece, at)
      at += piece.length
    }
    this.port.postMessage(all, [all.buffer])
    this.#pieces = []
    this.#frames = 0
  }
}

registerProcessor('sample-collector', SampleCollector)
