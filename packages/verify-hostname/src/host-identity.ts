import { domainToASCII } from 'node:url'
import { parseIpv4, parseIpv6 } from './match-ip-address.ts'

/** The host that was asked for, parsed once: code below never looks at the text again to learn what it is. */
export type HostIdentity =
  | {
      readonly kind: 'dns'
      /** A-labels in lower case, without trailing dots or empty labels. */
      readonly name: string
      /** The leftmost label is an A-label (RFC 5890 section 2.3.2.1). */
      readonly isALabel: boolean
      /** As given, without trailing dots. */
      readonly text: string
    }
  | {
      readonly kind: 'ip'
      /** 4 or 16 octets in network order. */
      readonly address: Uint8Array
      readonly text: string
    }
  | { readonly kind: 'invalid'; readonly why: string; readonly text: string }

const DOT = 0x2e

/**
 * Tells what kind of name `host` is. Trailing dots are ignored. Whatever consists of digits and dots, or holds a colon,
 * is an IP address or nothing; a label with characters beyond ASCII becomes an A-label (UTS #46, RFC 5891).
 */
export function parseHost(host: string, spelling: 'lenient' | 'strict' = 'lenient'): HostIdentity {
  const identity = parseLeniently(host)
  const why = spelling === 'strict' ? misspelling(host, identity) : undefined
  return why === undefined ? identity : invalid(identity.text, why)
}

/** What only the strict spelling refuses; undefined where there is nothing. */
function misspelling(host: string, identity: HostIdentity): string | undefined {
  if (host.endsWith('..')) return 'it has more than one trailing dot'
  // RFC 5952 section 4.3: the letters of an IPv6 address are lower case.
  if (identity.kind === 'ip' && identity.text !== identity.text.toLowerCase())
    return 'an IPv6 address is written in lower case'
  // RFC 3696 section 2: no top-level domain is all-numeric; such a name is an IP address gone wrong.
  if (identity.kind === 'dns' && /(^|\.)[0-9]+$/.test(identity.name)) return 'its last label is a number'
  return undefined
}

function parseLeniently(host: string): HostIdentity {
  const text = withoutTrailingDots(host)
  let onlyDigits = true
  let previous = DOT
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x3a) return parseColons(text)
    if (code > 0x7f) return parseUnicode(text)
    if (!isHostCharacter(code))
      return text.includes(':') ? parseColons(text) : invalid(text, 'it holds a character that no host name has')
    if (code === DOT && previous === DOT) return invalid(text, 'it holds an empty label')
    if (code !== DOT && (code < 0x30 || code > 0x39)) onlyDigits = false
    previous = code
  }
  if (text === '') return invalid(text, 'it is empty')
  if (onlyDigits) {
    const address = parseIpv4(text)
    return address === undefined
      ? invalid(text, 'it is not an IPv4 address in its usual form')
      : { kind: 'ip', address, text }
  }
  const name = text.toLowerCase()
  return { kind: 'dns', name, isALabel: name.startsWith('xn--'), text }
}

/** The original ignores any number of trailing dots on both sides. */
export function withoutTrailingDots(name: string): string {
  let end = name.length
  while (end > 0 && name.charCodeAt(end - 1) === DOT) end--
  return end === name.length ? name : name.slice(0, end)
}

function invalid(text: string, why: string): HostIdentity {
  return { kind: 'invalid', why, text }
}

/** Letters, digits, hyphen, dot, and the underscore that hosts in the wild have. */
const hostCharacters = Uint8Array.from({ length: 128 }, (_, code) =>
  /[a-z0-9._-]/i.test(String.fromCharCode(code)) ? 1 : 0,
)

function isHostCharacter(code: number): boolean {
  return hostCharacters[code] === 1
}

function parseColons(text: string): HostIdentity {
  const address = parseIpv6(text)
  if (address !== undefined) return { kind: 'ip', address, text }
  if (text.startsWith('[')) return invalid(text, 'an IPv6 address is given without brackets')
  if (text.includes('%')) return invalid(text, 'a zone identifier is not part of an address')
  return invalid(text, 'it is not an IPv6 address, and a port is not part of a name')
}

/**
 * Label by label and split at '.' only, so that no other character can become a dot or an IP address on the way
 * (CVE-2026-48618); what the mapping turns into plain ASCII, such as full-width letters, is no U-label and is refused.
 */
function parseUnicode(text: string): HostIdentity {
  // RFC 1035 section 2.3.4; A-labels are never shorter than what they stand for.
  if (text.length > 253) return invalid(text, 'it is longer than any name')
  const labels = text.split('.')
  for (const [index, label] of labels.entries()) {
    const converted = toALabel(label)
    if (converted === undefined) return invalid(text, `label ${index + 1} cannot be converted to an A-label`)
    labels[index] = converted
  }
  const name = labels.join('.')
  return { kind: 'dns', name, isALabel: name.startsWith('xn--'), text }
}

/** One label in lower case and as an A-label where it is not ASCII; undefined where it is no label. */
export function toALabel(label: string): string | undefined {
  let ascii = true
  for (let i = 0; i < label.length; i++) {
    const code = label.charCodeAt(i)
    if (code > 0x7f) ascii = false
    else if (code === DOT || !isHostCharacter(code)) return undefined
  }
  if (label === '') return undefined
  if (ascii) return label.toLowerCase()
  // RFC 5890 section 2.3.2.1: a U-label is in Normalization Form C. And a label never gets shorter by the conversion.
  if (label.length > 63 || label !== label.normalize('NFC')) return undefined
  const converted = domainToASCII(label)
  // RFC 1035 section 2.3.4: a label has at most 63 octets, which the conversion itself does not check.
  return /^xn--[a-z0-9-]{1,59}$/.test(converted) ? converted : undefined
}
