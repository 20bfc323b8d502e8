/** Audio to test with, as pure functions of time: any stretch of any length can be made without what lies before it. */

/** The value (-1..1) of one sample: `index` counts the samples of a channel from 0. */
export type Material = (index: number, channel: number, sampleRate: number) => number

export const silence: Material = () => 0

/** A sine at each channel's own pitch (440, 660, 880 Hz ...), so that swapped channels are heard. */
export function tones(level = 0.5): Material {
  return (index, channel, rate) => level * Math.sin((2 * Math.PI * 220 * (channel + 2) * index) / rate)
}

/** A sine that climbs from 20 Hz to 40 % of the rate in `seconds`, over and over; each channel a little later. */
export function sweep(seconds = 3, level = 0.5): Material {
  return (index, channel, rate) => {
    const time = (index / rate + 0.1 * channel) % seconds
    const ratio = (0.4 * rate) / 20
    const cycles = ((20 * seconds) / Math.log(ratio)) * (ratio ** (time / seconds) - 1)
    return level * Math.sin(2 * Math.PI * cycles)
  }
}

/** White noise, other in each channel; the same index gives the same value. */
export function noise(level = 0.5): Material {
  return (index, channel) => level * (2 * random(index, channel) - 1)
}

/** Silence with a click of three samples each `every` samples. */
export function clicks(every = 11_025, level = 0.9): Material {
  return (index) => (index % every < 3 ? level * (index % every === 1 ? -1 : 0.5) : 0)
}

/** Like speech to an encoder: voiced syllables with formants, hisses between them, and a pause after each phrase. */
export function speech(level = 0.5): Material {
  return (index, channel, rate) => {
    const time = index / rate
    const syllable = Math.floor(time * 4)
    const within = time * 4 - syllable
    if (syllable % 11 > 8) return 0
    if (within > 0.8) return 0.15 * level * (2 * random(index, channel) - 1)
    const pitch = 100 + 60 * random(syllable, 1)
    const formants = [300 + 500 * random(syllable, 2), 900 + 1400 * random(syllable, 3)]
    let value = 0
    for (let harmonic = 1; harmonic <= 20 && harmonic * pitch < rate / 2; harmonic += 1) {
      const hertz = harmonic * pitch
      const gain = formants.reduce((sum, formant) => sum + Math.exp(-(((hertz - formant) / 150) ** 2)), 0.02)
      value += gain * Math.sin(2 * Math.PI * hertz * time)
    }
    return 0.35 * level * Math.sin((Math.PI * within) / 0.8) * value
  }
}

/** Like music to an encoder: chords of plucked strings over a bass, panned, with a stroke of noise on each beat. */
export function music(level = 0.5): Material {
  return (index, channel, rate) => {
    const time = index / rate
    const beat = Math.floor(time * 2.5)
    const within = time * 2.5 - beat
    let value = 0.4 * (2 * random(index, 7 + channel) - 1) * Math.exp(-30 * within)
    for (let string = 0; string < 4; string += 1) {
      const semitone = Math.floor(24 * random(beat >> (string === 0 ? 2 : 0), 10 + string))
      const hertz = (string === 0 ? 55 : 165) * 2 ** (semitone / 12)
      const pan = channel === 0 ? 1 - 0.2 * string : 0.4 + 0.2 * string
      const phase = 2 * Math.PI * hertz * time
      const tone = Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.25 * Math.sin(3.01 * phase)
      value += 0.25 * pan * Math.exp(-2 * within) * tone
    }
    return level * value
  }
}

/** A number in 0..1 that depends on nothing but its two seeds. */
function random(seed: number, stream = 0): number {
  let bits = Math.imul(seed ^ Math.imul(stream + 1, 0x9e3779b1), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  bits = Math.imul(bits ^ (bits >>> 16), 0x27d4eb2f)
  return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32
}
