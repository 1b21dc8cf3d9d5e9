import type { MismatchReason } from './errors.ts'
import type { WildcardRule } from './schemes.ts'

/**
 * Does a presented DNS name stand for the host? Pure: text against text, nothing of X.509.
 *
 * | presented         | host               | none | whole-label | within-label |
 * |-------------------|--------------------|------|-------------|--------------|
 * | `www.example.org` | `WWW.example.org`  | yes  | yes         | yes          |
 * | `*.example.org`   | `www.example.org`  | no   | yes         | yes          |
 * | `*.example.org`   | `a.b.example.org`  | no   | no          | no           |
 * | `*.example.org`   | `example.org`      | no   | no          | no           |
 * | `*.example.org`   | `xn--a.example.org`| no   | yes         | yes          |
 * | `www*.example.org`| `www1.example.org` | no   | no          | yes          |
 * | `www*.example.org`| `www.example.org`  | no   | no          | no           |
 * | `xn--*.example.org`| `xn--a.example.org`| no  | no          | no           |
 * | `a.*.example.org` | `a.b.example.org`  | no   | no          | no           |
 * | `*`               | `localhost`        | no   | no          | no           |
 *
 * `name` is the host in lower case, of letters, digits, '-', '_' and '.', without empty labels and trailing dots; a
 * presented name with any other character therefore never equals it. `isALabel`: its leftmost label is an A-label.
 * 'wildcard' is not yet a match: the public-suffix guard is the caller's.
 */
export function matchDnsName(
  presented: string,
  host: { readonly name: string; readonly isALabel: boolean },
  wildcard: WildcardRule,
): 'exact' | 'wildcard' | MismatchReason {
  const { name } = host
  if (presented === name) return 'exact' // what follows says the same, and slower
  let end = presented.length
  while (end > 0 && presented.charCodeAt(end - 1) === 0x2e) end--
  const star = presented.indexOf('*')
  if (star === -1) return end === name.length && equalTail(presented, end, name, end) ? 'exact' : 'different name'

  if (wildcard === 'none') return 'wildcard not allowed by the scheme'
  if (star >= end - 1) return 'wildcard without a domain'
  if (presented.lastIndexOf('*') !== star) return 'more than one wildcard'
  const dot = presented.indexOf('.')
  if (dot !== -1 && dot < star) return 'wildcard outside the leftmost label'
  const partial = star > 0 || dot !== 1
  if (partial && wildcard !== 'within-label') return 'partial wildcard not allowed by the scheme'
  // RFC 6125 section 7.2 and 6.4.3: part of an A-label says nothing about the U-label it encodes.
  if (partial && host.isALabel) return 'partial wildcard against an A-label'

  const suffix = end - star - 1
  const stands = name.length - star - suffix // how many characters the wildcard stands for
  if (stands < 1 || !equalTail(presented, end, name, suffix)) return 'different name'
  for (let i = 0; i < star; i++) if (lower(presented.charCodeAt(i)) !== name.charCodeAt(i)) return 'different name'
  const nextDot = name.indexOf('.', star)
  return nextDot !== -1 && nextDot < star + stands ? 'different name' : 'wildcard'
}

/** Do `presented` (up to `end`) and `name` have the same last `count` characters? From the end, where names differ less often the same. */
function equalTail(presented: string, end: number, name: string, count: number): boolean {
  const shift = name.length - end
  for (let i = end - 1; i >= end - count; i--)
    if (
      presented.charCodeAt(i) !== name.charCodeAt(i + shift) &&
      lower(presented.charCodeAt(i)) !== name.charCodeAt(i + shift)
    )
      return false
  return true
}

/** ASCII only: Unicode's case mapping would turn KELVIN SIGN into 'k'. */
function lower(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code | 0x20 : code
}
