import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { bitString, contextTag, element, integer, octetString, oid, sequence, setOf, time, utf8String } from '@x/der'
import { matchHostname, PublicSuffixList, type Scheme, type SchemeName, schemes } from '@x/verify-hostname'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { peer, perlHas } from '../src/index.ts'

const PAIRS = Number(process.env['ORACLE_PAIRS'] ?? 5000)
const seed = Number(process.env['ORACLE_SEED'] ?? Date.now() % 2 ** 31)
const perl = peer('perl')
const available = perl !== undefined && perlHas('IO::Socket::SSL')

/** One Perl process that answers line by line. */
class Oracle {
  readonly #child: ChildProcess
  readonly #answers: ((answer: string) => void)[] = []

  constructor(command: string) {
    this.#child = spawn(command, [join(import.meta.dirname, 'verify-hostname-oracle.pl')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.#answers.shift()?.(line),
    )
    this.#child.once('close', () => {
      for (const answer of this.#answers.splice(0)) answer('the oracle ended')
    })
  }

  ask(question: string, ...fields: readonly (string | Uint8Array)[]): Promise<string> {
    const hex = fields.map((field) => Buffer.from(field as string).toString('hex'))
    this.#child.stdin?.write(`${[question, ...hex].join('\t')}\n`)
    return new Promise((resolve) => this.#answers.push(resolve))
  }

  async close(): Promise<void> {
    const closed = once(this.#child, 'close')
    this.#child.stdin?.end()
    await closed
  }
}

/** A small generator of numbers that a seed repeats (mulberry32). */
function randomFrom(start: number): (below: number) => number {
  let state = start
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

const random = randomFrom(seed)
const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T
const chance = (percent: number): boolean => random(100) < percent

const labels = ['www', 'w', 'a', 'mail', 'xn--lwe-sna', 'xn--a', 'foo_bar', '0', '-', 'WwW', 'example', 'co']
const domains = [
  'example.com',
  'example.co.uk',
  'co.uk',
  'uk',
  'com',
  'foo.kobe.jp',
  'kobe.jp',
  'city.kobe.jp',
  'github.io',
  'local',
  'unlisted',
  'www.ck',
  'ck',
  'EXAMPLE.org',
]
const addresses = [
  '10.1.2.3',
  '10.1.2.4',
  '127.0.0.1',
  '::1',
  '2001:db8::1',
  '2001:DB8::1',
  '::ffff:10.1.2.3',
  '0:0:0:0:0:0:0:1',
]
const lists = [
  'default',
  'default',
  'default',
  'off',
  '1:com\nuk\nco.uk\n*.ck\n!www.ck',
  '0:',
  '2:',
  '1:*\nco.uk',
  '1:example.com\n*.kobe.jp\n!city.kobe.jp',
]

function name(): string {
  return [...Array.from({ length: random(3) }, () => pick(labels)), pick(domains)].join('.')
}

function withWildcard(plain: string): string {
  const parts = plain.split('.')
  const at = chance(85) ? 0 : random(parts.length)
  const part = parts[at] ?? ''
  const start = chance(60) ? 0 : random(part.length + 1)
  const end = chance(60) ? part.length : Math.min(part.length, start + random(3))
  parts[at] = `${part.slice(0, start)}*${part.slice(end)}`
  return parts.join('.')
}

/** Now and then something that is no name. */
function odd(text: string): string {
  const at = random(text.length + 1)
  return text.slice(0, at) + pick(['.', '..', ' ', '\n', '\0', '*', ':', '\t', '%', '0', '1', '[']) + text.slice(at)
}

function presented(): string {
  const plain = chance(10) ? pick(addresses) : name()
  const shaped = chance(50) ? withWildcard(plain) : plain
  const dotted = chance(10) ? `${shaped}.` : shaped
  return chance(5) ? odd(dotted) : dotted
}

function hostFor(names: readonly string[]): string {
  if (chance(15)) return pick(addresses)
  const base = names.length > 0 && chance(85) ? pick(names) : name()
  const filled = base.replaceAll('*', () => pick(['w', 'www', 'xn--lwe-sna', 'xn--a', 'a', 'A_b', '', 'a.b']))
  const cased = chance(20) ? filled.toUpperCase() : filled
  const dotted = chance(10) ? `${cased}.` : cased
  return chance(5) ? odd(dotted) : dotted
}

/** Schemes in our words and in the original's. */
function scheme(): { ours: SchemeName | Scheme; theirs: string } {
  const named = Object.keys(schemes).filter((key) => key !== 'rfc9525') as SchemeName[]
  if (chance(70)) {
    const one = pick(named)
    return { ours: one, theirs: one }
  }
  const wildcards = [
    ['none', '0'],
    ['whole-label', 'full_label'],
    ['within-label', 'anywhere'],
  ] as const
  const [san, commonName] = [pick(wildcards), pick(wildcards)]
  const used = pick([
    ['never', '0'],
    ['when-no-dns-name', 'when_only'],
    ['always', 'always'],
  ] as const)
  const ip = pick([
    ['never', '0'],
    ['any', '1'],
    ['ipv4', '4'],
    ['ipv6', '6'],
  ] as const)
  return {
    ours: { sanWildcard: san[0], commonNameWildcard: commonName[0], commonName: used[0], ipInCommonName: ip[0] },
    theirs: `wildcards_in_alt=${san[1]},wildcards_in_cn=${commonName[1]},check_cn=${used[1]},ip_in_cn=${ip[1]}`,
  }
}

interface Names {
  readonly dns: readonly string[]
  readonly ip: readonly string[]
  readonly email: readonly string[]
  readonly commonName: string | undefined
}

function randomNames(): Names {
  const some = (most: number, make: () => string): string[] => Array.from({ length: random(most + 1) }, make)
  return {
    dns: chance(40) ? [] : some(3, presented),
    ip: chance(70) ? [] : some(2, () => pick(addresses)),
    email: chance(90) ? [] : ['a@example.com'],
    commonName: chance(30) ? undefined : chance(20) ? pick(addresses) : presented(),
  }
}

function certificate({ dns, ip, email, commonName }: Names): Uint8Array {
  const alternatives = [
    ...dns.map((text) => element(contextTag(2), Buffer.from(text, 'latin1'))),
    ...ip.map((text) => element(contextTag(7), octetsOf(text))),
    ...email.map((text) => element(contextTag(1), Buffer.from(text))),
  ]
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'))
  const key = sequence(
    sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')),
    bitString(new Uint8Array(65).fill(4)),
  )
  const tbs = sequence(
    element(contextTag(0, true), integer(2)),
    integer(1),
    algorithm,
    sequence(setOf(sequence(oid('2.5.4.3'), utf8String('oracle')))),
    sequence(time(0), time(4e12)),
    sequence(...(commonName === undefined ? [] : [setOf(sequence(oid('2.5.4.3'), utf8String(commonName)))])),
    key,
    ...(alternatives.length === 0
      ? []
      : [element(contextTag(3, true), sequence(sequence(oid('2.5.29.17'), octetString(sequence(...alternatives)))))]),
  )
  return sequence(tbs, algorithm, bitString(new Uint8Array(8)))
}

/** By the platform's own URL parser, not by ours. */
function octetsOf(text: string): Uint8Array {
  if (!text.includes(':')) return Uint8Array.from(text.split('.').map(Number))
  const [head = '', tail = ''] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::')
  const groups = (part: string): number[] =>
    part
      .split(':')
      .filter(Boolean)
      .map((group) => Number.parseInt(group, 16))
  const [before, after] = [groups(head), groups(tail)]
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 255]))
}

/** The rules by which we are stricter on purpose; undefined where none applies. */
function reason(names: Names, host: string, theirs: string): string | undefined {
  const all = [...names.dns, ...(names.commonName === undefined ? [] : [names.commonName])]
  const bare = host.replace(/\.+$/, '')
  if (/^xn--/i.test(host) && all.some((text) => text.includes('*'))) return 'A-label guard'
  if (/^\.|\.\./.test(bare)) return 'empty label'
  if (all.some((text) => /[\0-\x1f]/.test(text)) || /[\0-\x1f]/.test(host)) return 'control character'
  if (/^[0-9.]+$/.test(bare) && /(^|\.)0[0-9]/.test(bare)) return 'IP form'
  const whenOnly = /when_only/.test(theirs) || ['http', 'www', 'gist', 'rfc5971'].includes(theirs)
  if (whenOnly && names.commonName === bare && names.dns.length + names.ip.length > 0) return 'IP in CN'
  return undefined
}

describe.skipIf(!available)(`the original as the oracle, ORACLE_SEED=${seed}`, () => {
  let oracle: Oracle
  beforeAll(() => {
    oracle = new Oracle(perl as string)
    console.log(`ORACLE_SEED=${seed} ORACLE_PAIRS=${PAIRS}`)
  })
  afterAll(() => oracle.close())

  it(`gives the same verdict for ${PAIRS} certificates and hosts`, async () => {
    const counts = { accepted: 0, refused: 0, stricter: new Map<string, number>() }
    const wrong: unknown[] = []
    for (let n = 0; n < PAIRS; n += 100) {
      await Promise.all(
        Array.from({ length: Math.min(100, PAIRS - n) }, async () => {
          const names = randomNames()
          const host = hostFor([
            ...names.dns,
            ...names.ip,
            ...(names.commonName === undefined ? [] : [names.commonName]),
          ])
          const { ours, theirs } = scheme()
          const suffix = pick(lists)
          const der = certificate(names)
          const [, min, list] = /^(\d):(.*)$/s.exec(suffix) ?? []
          const publicSuffix =
            suffix === 'default'
              ? 'icann'
              : suffix === 'off'
                ? 'none'
                : PublicSuffixList.fromString(list ?? '', { minSuffix: Number(min) })
          const accepted = matchHostname(der, host, { scheme: ours, publicSuffix }) === undefined ? '0' : '1'
          // It dies of hosts that it would have to convert; that refuses as well.
          const answer = (await oracle.ask('v', der, host, theirs, suffix)).replace('?', '0')
          const why = answer === '1' && accepted === '0' ? reason(names, host, theirs) : undefined
          if (answer === accepted) counts[accepted === '1' ? 'accepted' : 'refused']++
          else if (why === undefined) wrong.push({ names, host, theirs, suffix, answer, accepted })
          else counts.stricter.set(why, (counts.stricter.get(why) ?? 0) + 1)
        }),
      )
    }
    console.log(
      `accepted ${counts.accepted}, refused ${counts.refused}, stricter on purpose`,
      Object.fromEntries(counts.stricter),
    )
    expect(wrong).toEqual([])
    // The generator must reach both verdicts often, or the test shows nothing.
    expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(PAIRS / 20)
  })

  it('splits names alike, with its own list and with small ones', async () => {
    const builtin = Buffer.from(await oracle.ask('l'), 'hex').toString()
    expect(builtin).toContain('\nco.uk\n')
    const texts = [
      builtin,
      'com\nuk\nco.uk\n*.ck\n!www.ck',
      '',
      '*\nco.uk',
      '*.a\n*.b.a\n!c.b.a\nd.*.a',
      'a.*.com\nb.com',
    ]
    const parsed = new Map<string, PublicSuffixList>()
    const wrong: unknown[] = []
    for (let n = 0; n < PAIRS / 5; n++) {
      const text = chance(50) ? builtin : pick(texts)
      const min = String(random(3))
      const add = String(random(3))
      const host = chance(70)
        ? name().toLowerCase()
        : Array.from({ length: 1 + random(5) }, () => pick(['a', 'b', 'c', 'd', 'com', 'ck', 'www', 'jp'])).join('.')
      const key = `${min}:${text}`
      const list = parsed.get(key) ?? PublicSuffixList.fromString(text, { minSuffix: Number(min) })
      parsed.set(key, list)
      const split = list.split(host, Number(add))
      const answer = await oracle.ask('s', text, min, host, add)
      const [rest, suffix] = answer.split('\t').map((field) => Buffer.from(field, 'hex').toString())
      if (split?.rest !== rest || split?.suffix !== suffix)
        wrong.push({ text: text.slice(0, 50), min, add, host, split, rest, suffix })
    }
    expect(wrong).toEqual([])
  })
})
