import { isIPv4, isIPv6 } from 'node:net'

/** The 4 or 16 octets of an IP address, or undefined where the text is none. A zone (`%eth0`) is refused. */
export function bytesOfIp(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.').map(Number))
  if (!isIPv6(text) || text.includes('%')) return undefined
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const hex = dotted === null ? text : (dotted[1] as string) + pairOfWords(bytesOfIp(dotted[2] as string) as Uint8Array)
  const [head = '', tail] = hex.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const words = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
  return Uint8Array.from(words.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 0xff]))
}

/** Address and mask, one behind the other (RFC 5280 section 4.2.1.10), of `address/prefix-length` or `address/mask`. */
export function bytesOfIpRange(text: string): Uint8Array | undefined {
  const [address = '', mask = '', more] = text.split('/')
  const bytes = bytesOfIp(address)
  if (bytes === undefined || more !== undefined) return undefined
  const maskBytes = /^\d{1,3}$/.test(mask) ? maskOf(Number(mask), bytes.length) : bytesOfIp(mask)
  if (maskBytes?.length !== bytes.length) return undefined
  return Uint8Array.from([...bytes, ...maskBytes])
}

/** Text of 4 or 16 octets; IPv6 in its canonical form (RFC 5952). Undefined for other lengths. */
export function ipOfBytes(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) return undefined
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number))
  const { start, length } = longestRunOfZeros(words)
  const hex = words.map((word) => word.toString(16))
  return length < 2 ? hex.join(':') : `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}

function longestRunOfZeros(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let i = 0; i < words.length; i++) {
    let length = 0
    while (words[i + length] === 0) length++
    if (length > best.length) best = { start: i, length }
  }
  return best
}

function pairOfWords(bytes: Uint8Array): string {
  const [a = 0, b = 0, c = 0, d = 0] = bytes
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

function maskOf(prefix: number, length: number): Uint8Array | undefined {
  if (prefix > length * 8) return undefined
  return Uint8Array.from({ length }, (_, i) => 0xff & ~(0xff >> Math.min(8, Math.max(0, prefix - 8 * i))))
}
