/**
 * RC2 in CBC mode (RFC 2268), decryption only: old PKCS#12 files encrypt certificates with it at 40 bits, and OpenSSL 3
 * has it only in a provider that Node does not load. The padding is left on.
 *
 * @param effectiveBits - effective key bits, T1 in the RFC
 */
export function decryptRc2Cbc(key: Uint8Array, iv: Uint8Array, data: Uint8Array, effectiveBits: number): Uint8Array {
  const words = expandKey(key, effectiveBits)
  const out = new Uint8Array(data.length)
  let previous = iv
  for (let at = 0; at + 8 <= data.length; at += 8) {
    const block = data.subarray(at, at + 8)
    const plain = decryptBlock(words, block)
    for (let i = 0; i < 8; i++) out[at + i] = (plain[i] as number) ^ (previous[i] as number)
    previous = block
  }
  return out
}

/** PITABLE of RFC 2268 section 2. */
const PI = Buffer.from(
  'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32' +
    'bd8f40eb86b77b0bf09521225c6b4e8254d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626' +
    '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a' +
    '961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731' +
    '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341bab33ffb0bb480c5fb9b1cd2e' +
    'c5f3db47e5a59c770aa62068fe7fc1ad',
  'hex',
)
const ROTATIONS = [1, 2, 3, 5]

/** RFC 2268 section 2. */
function expandKey(key: Uint8Array, effectiveBits: number): Uint16Array {
  const octets = Math.ceil(effectiveBits / 8)
  const mask = 0xff >> (8 * octets - effectiveBits)
  const l = new Uint8Array(128)
  l.set(key)
  const pi = (index: number): number => PI[index & 0xff] as number
  for (let i = key.length; i < 128; i++) l[i] = pi((l[i - 1] as number) + (l[i - key.length] as number))
  l[128 - octets] = pi((l[128 - octets] as number) & mask)
  for (let i = 127 - octets; i >= 0; i--) l[i] = pi((l[i + 1] as number) ^ (l[i + octets] as number))
  return Uint16Array.from({ length: 64 }, (_, i) => (l[2 * i] as number) | ((l[2 * i + 1] as number) << 8))
}

/** RFC 2268 section 4. */
function decryptBlock(words: Uint16Array, block: Uint8Array): Uint8Array {
  const r = Uint16Array.from({ length: 4 }, (_, i) => (block[2 * i] as number) | ((block[2 * i + 1] as number) << 8))
  const at = (i: number): number => r[i & 3] as number
  for (let round = 15; round >= 0; round--) {
    for (let i = 3; i >= 0; i--) {
      const turn = ROTATIONS[i] as number
      const turned = (at(i) >> turn) | (at(i) << (16 - turn))
      r[i] = turned - (words[4 * round + i] as number) - (at(i - 1) & at(i - 2)) - (~at(i - 1) & at(i - 3))
    }
    if (round === 11 || round === 5) for (let i = 3; i >= 0; i--) r[i] = at(i) - (words[at(i - 1) & 63] as number)
  }
  return Uint8Array.from({ length: 8 }, (_, i) => at(i >> 1) >> (8 * (i & 1)))
}
