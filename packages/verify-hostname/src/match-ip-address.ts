/**
 * The 4 octets of an IPv4 address in its one usual notation, or undefined.
 * Refused, though some parsers take them: leading zeros, other than four numbers, hexadecimal, digits outside ASCII.
 */
export function parseIpv4(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(4)
  let index = 0
  let value = -1
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x2e) {
      if (value < 0 || index === 3) return undefined
      octets[index++] = value
      value = -1
    } else if (code >= 0x30 && code <= 0x39) {
      if (value === 0) return undefined
      value = value < 0 ? code - 0x30 : value * 10 + code - 0x30
      if (value > 255) return undefined
    } else return undefined
  }
  if (index !== 3 || value < 0) return undefined
  octets[3] = value
  return octets
}

/**
 * The 16 octets of an IPv6 address (RFC 4291 section 2.2, all three forms), or undefined.
 * Refused: brackets, zone identifiers, prefix lengths, groups of more than four digits, a '::' that stands for nothing.
 */
export function parseIpv6(text: string): Uint8Array | undefined {
  if (text.length > 45) return undefined
  const gap = text.indexOf('::')
  if (gap !== -1 && text.indexOf('::', gap + 1) !== -1) return undefined
  const head = readGroups(gap === -1 ? text : text.slice(0, gap), gap === -1)
  const tail = gap === -1 ? [] : readGroups(text.slice(gap + 2), true)
  if (head === undefined || tail === undefined) return undefined
  const octets = head.length + tail.length
  if (gap === -1 ? octets !== 16 : octets > 14) return undefined
  const address = new Uint8Array(16)
  address.set(head)
  address.set(tail, 16 - tail.length)
  return address
}

function readGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  const octets: number[] = []
  if (text === '') return octets
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group) && group.length <= 4) {
      const value = Number.parseInt(group, 16)
      octets.push(value >> 8, value & 0xff)
      continue
    }
    const embedded = mayEndInIpv4 && index === groups.length - 1 ? parseIpv4(group) : undefined
    if (embedded === undefined) return undefined
    octets.push(...embedded)
  }
  return octets
}

/** RFC 9525 section 6.4 (and RFC 2818 section 3.1): the octets must be the same, all of them. */
export function sameAddress(presented: Uint8Array, address: Uint8Array): boolean {
  if (presented.length !== address.length) return false
  for (let i = 0; i < address.length; i++) if (presented[i] !== address[i]) return false
  return true
}

/** The usual notation of 4 or 16 octets (the IPv6 one without '::'); hexadecimal of anything else. */
export function formatAddress(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.')
  const digits = Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('')
  return octets.length === 16
    ? (digits.match(/.{4}/g) as string[]).map((g) => g.replace(/^0{1,3}/, '')).join(':')
    : digits
}
