import { decodeAscii } from '@x/der'
import { canonicalName, GeneralNameTag, type GeneralNameView, readName } from '@x/der/x509'
import { attempt } from './attempt.ts'
import { isNameWithin } from './names.ts'

/** How one type of name is held against a constraint's base. `N` and `B` are what names and bases are parsed into. */
export interface SubtreeRule<N, B> {
  /** undefined: malformed. */
  readonly name: (value: Uint8Array) => N | undefined
  readonly base: (value: Uint8Array) => B | undefined
  /** Whether the name lies within the base. */
  readonly within: (name: N, base: B) => boolean
  /** Whether the name touches the base, though it may lie outside; only where that can differ from `within`. */
  readonly touches?: (name: N, base: B) => boolean
}

/** RFC 5280 section 4.2.1.10, by identifier octet. Types that are missing here are not supported, and refuse where they meet a name of theirs. */
export const SUBTREE_RULES: Readonly<Record<number, SubtreeRule<unknown, unknown>>> = {
  [GeneralNameTag.DNS]: rule({ name: dnsName, base: dnsBase, within: isHostWithin, touches: touchesHost }),
  [GeneralNameTag.EMAIL]: rule({ name: mailbox, base: mailBase, within: isMailboxWithin }),
  [GeneralNameTag.URI]: rule({ name: uriHost, base: hostOrDomain, within: isExactHostWithin }),
  [GeneralNameTag.IP]: rule({ name: address, base: addressRange, within: isAddressWithin }),
  [GeneralNameTag.DIRECTORY]: rule({ name: directoryName, base: directoryName, within: isNameWithin }),
}

/** Each rule gets only what its own parsers made. */
function rule<N, B>(row: SubtreeRule<N, B>): SubtreeRule<unknown, unknown> {
  return row as SubtreeRule<unknown, unknown>
}

const LABELS = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/
const PATTERN = /^[a-z0-9_*-]+(\.[a-z0-9_-]+)*$/

/** Lower case, without a trailing dot. */
function asciiText(value: Uint8Array): string | undefined {
  return decodeAscii(value)?.toLowerCase().replace(/\.$/, '')
}

function dnsName(value: Uint8Array): string | undefined {
  const text = asciiText(value)
  return text !== undefined && PATTERN.test(text) ? text : undefined
}

/** '' is every name; a leading dot, which RFC 5280 does not have but CAs write, leaves out the domain itself. */
function dnsBase(value: Uint8Array): string | undefined {
  const text = asciiText(value)
  return text !== undefined && (text === '' || LABELS.test(text.replace(/^\./, ''))) ? text : undefined
}

function isHostWithin(name: string, base: string): boolean {
  if (base === '' || name === base) return true
  return name.endsWith(base) && (base.startsWith('.') || name.charAt(name.length - base.length - 1) === '.')
}

/** A wildcard also touches what it can stand for: `*.example.org` where `www.example.org` is excluded. */
function touchesHost(name: string, base: string): boolean {
  if (isHostWithin(name, base)) return true
  const dot = name.indexOf('.')
  if (!name.slice(0, dot === -1 ? undefined : dot).includes('*')) return false
  const cut = base.indexOf('.')
  return dot !== -1 && cut > 0 && base.slice(cut) === name.slice(dot)
}

interface Mailbox {
  /** Compared with case, as RFC 5321 section 2.4 has it. */
  readonly local: string
  readonly host: string
}

function mailbox(value: Uint8Array): Mailbox | undefined {
  const text = decodeAscii(value)
  const at = text?.lastIndexOf('@') ?? -1
  if (text === undefined || at < 1) return undefined
  const host = text.slice(at + 1).toLowerCase()
  return LABELS.test(host) ? { local: text.slice(0, at), host } : undefined
}

function mailBase(value: Uint8Array): Mailbox | string | undefined {
  return decodeAscii(value)?.includes('@') === true ? mailbox(value) : hostOrDomain(value)
}

function isMailboxWithin(name: Mailbox, base: Mailbox | string): boolean {
  if (typeof base === 'string') return isExactHostWithin(name.host, base)
  return name.host === base.host && name.local === base.local
}

/** The host of a URI, after user information and before a port (RFC 3986 section 3.2); none and IP addresses are refused, as RFC 5280 demands. */
function uriHost(value: Uint8Array): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(decodeAscii(value) ?? '')?.[1]
  // No URI has one, and who reads it as WHATWG's URL does ends the host there.
  if (authority?.includes('\\')) return undefined
  const host = authority
    ?.slice(authority.lastIndexOf('@') + 1)
    .replace(/:[0-9]*$/, '')
    .toLowerCase()
    .replace(/\.$/, '')
  return host !== undefined && LABELS.test(host) && !/(^|\.)[0-9]+$/.test(host) ? host : undefined
}

function hostOrDomain(value: Uint8Array): string | undefined {
  return dnsBase(value)
}

/** A host stands for itself alone, a leading dot for every host below (RFC 5280 section 4.2.1.10, for mail and URIs). */
function isExactHostWithin(host: string, base: string): boolean {
  return base === '' || (base.startsWith('.') ? host.endsWith(base) : host === base)
}

function address(value: Uint8Array): Uint8Array | undefined {
  return value.length === 4 || value.length === 16 ? value : undefined
}

interface AddressRange {
  readonly address: Uint8Array
  readonly mask: Uint8Array
}

function addressRange(value: Uint8Array): AddressRange | undefined {
  if (value.length !== 8 && value.length !== 32) return undefined
  const half = value.length / 2
  const mask = value.subarray(half)
  return isPrefix(mask) ? { address: value.subarray(0, half), mask } : undefined
}

/** Ones and then zeros (RFC 4632). */
function isPrefix(mask: Uint8Array): boolean {
  const bits = [...mask].map((octet) => octet.toString(2).padStart(8, '0')).join('')
  return /^1*0*$/.test(bits)
}

function isAddressWithin(name: Uint8Array, { address, mask }: AddressRange): boolean {
  if (name.length !== address.length) return false
  return mask.every((octet, i) => (((name[i] as number) ^ (address[i] as number)) & octet) === 0)
}

function directoryName(value: Uint8Array): Uint8Array | undefined {
  const isRead = attempt(() => readName(value)) !== undefined && attempt(() => canonicalName(value)) !== undefined
  return isRead ? value : undefined
}

/** A name or base with its type, for messages. */
export function describeName({ tag, value }: GeneralNameView): string {
  const kind =
    Object.entries(GeneralNameTag)
      .find(([, octet]) => octet === tag)?.[0]
      .toLowerCase()
      .replace('_', ' ') ?? 'unknown'
  const isText = tag === GeneralNameTag.DNS || tag === GeneralNameTag.EMAIL || tag === GeneralNameTag.URI
  const text = isText
    ? JSON.stringify(Buffer.from(value.subarray(0, 80)).toString('latin1'))
    : `#${Buffer.from(value.subarray(0, 40)).toString('hex')}`
  return `${kind} ${text}`
}
