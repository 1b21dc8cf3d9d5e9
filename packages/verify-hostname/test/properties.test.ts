import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchHostname, type SchemeName, schemes } from '../src/index.ts'
import { certificate } from './certificate.ts'

const letters = ['a', 'b', 'c', 'x', 'n', '0', '-', '_']
const label = fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 5 }).map((all) => all.join(''))
const host = fc
  .array(label, { minLength: 1, maxLength: 5 })
  .map((labels) => labels.join('.'))
  .filter((name) => /[a-z_-]/.test(name))
const pattern = fc
  .tuple(host, fc.nat(), fc.nat())
  .map(
    ([name, at, cut]) =>
      name.slice(0, at % (name.length + 1)) +
      '*' +
      name.slice(Math.min(name.length, (at % (name.length + 1)) + (cut % 3))),
  )
const presented = fc.oneof(host, pattern)
const scheme = fc.constantFrom(...(Object.keys(schemes).filter((name) => name !== 'none') as SchemeName[]))
const publicSuffix = fc.constantFrom('icann' as const, 'none' as const)

function mixCase(name: string, seed: number): string {
  return name
    .split('')
    .map((c, i) => ((seed >> (i % 30)) & 1 ? c.toUpperCase() : c))
    .join('')
}

describe('properties', () => {
  it('case makes no difference on either side', () => {
    fc.assert(
      fc.property(presented, host, scheme, publicSuffix, fc.nat(), (entry, name, rules, guard, seed) => {
        const options = { scheme: rules, publicSuffix: guard }
        const verdict = matchHostname(certificate([entry], entry), name, options) !== undefined
        expect(
          matchHostname(
            certificate([mixCase(entry, seed)], mixCase(entry, seed)),
            mixCase(name, seed >> 1),
            options,
          ) !== undefined,
        ).toBe(verdict)
      }),
    )
  })

  it('a trailing dot makes no difference on either side, but by rfc9525', () => {
    fc.assert(
      fc.property(
        presented,
        host,
        scheme.filter((name) => name !== 'rfc9525'),
        (entry, name, rules) => {
          const verdict = matchHostname(certificate([entry]), name, { scheme: rules }) !== undefined
          expect(matchHostname(certificate([`${entry}.`]), name, { scheme: rules }) !== undefined).toBe(verdict)
          expect(matchHostname(certificate([entry]), `${name}.`, { scheme: rules }) !== undefined).toBe(verdict)
        },
      ),
    )
  })

  it('a name matches itself in a SAN, whatever the scheme', () => {
    fc.assert(
      fc.property(
        host.filter((name) => !/(^|\.)[0-9]+$/.test(name)),
        scheme,
        (name, rules) => {
          expect(matchHostname(certificate(['other.example', name]), name, { scheme: rules })).toMatchObject({
            entry: name,
            wildcard: false,
          })
        },
      ),
    )
  })

  it('a wildcard stands for exactly one label, or a part of it', () => {
    fc.assert(
      fc.property(presented, host, scheme, (entry, name, rules) => {
        const match = matchHostname(certificate([entry], entry), name, { scheme: rules, publicSuffix: 'none' })
        if (match === undefined) return
        const ours = entry.split('.')
        const theirs = name.split('.')
        expect(ours).toHaveLength(theirs.length)
        expect(ours.slice(1)).toEqual(theirs.slice(1))
        const [before = '', after] = (ours[0] as string).split('*')
        if (after === undefined) expect(theirs[0]).toBe(before)
        else expect(theirs[0]).toMatch(new RegExp(`^${before}[a-z0-9_-]+${after}$`))
        if (match.wildcard) expect(name.startsWith('xn--') && ours[0] !== '*').toBe(false)
      }),
    )
  })

  it('the guard only takes away', () => {
    fc.assert(
      fc.property(presented, host, scheme, (entry, name, rules) => {
        if (matchHostname(certificate([entry]), name, { scheme: rules }) !== undefined)
          expect(matchHostname(certificate([entry]), name, { scheme: rules, publicSuffix: 'none' })).toBeDefined()
      }),
    )
  })

  it('an IP address never matches a dNSName, and a name never an iPAddress', () => {
    const octet = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(fc.tuple(octet, octet, octet, octet), scheme, host, (octets, rules, name) => {
        const ip = octets.join('.')
        const entries = [ip, `*.${octets.slice(1).join('.')}`, ip.replace(/\d/, '*'), String.fromCharCode(...octets)]
        expect(matchHostname(certificate(entries), ip, { scheme: rules, publicSuffix: 'none' })).toBeUndefined()
        expect(matchHostname(certificate([`ip:${ip}`]), ip, { scheme: rules })).toMatchObject({ type: 'ip' })
        expect(matchHostname(certificate([`ip:${ip}`]), name, { scheme: rules })).toBeUndefined()
      }),
    )
  })

  it('a control character in a name makes it match nothing', () => {
    const control = fc.integer({ min: 0, max: 0x1f }).map((code) => String.fromCharCode(code))
    fc.assert(
      fc.property(host, fc.nat(), control, scheme, (name, at, character, rules) => {
        const cut = at % (name.length + 1)
        const dirty = name.slice(0, cut) + character + name.slice(cut)
        for (const asked of [name, dirty, name.slice(0, cut)])
          expect(
            matchHostname(certificate([dirty, `*${character}.${name}`], dirty), asked, { scheme: rules }),
          ).toBeUndefined()
      }),
    )
  })
})
