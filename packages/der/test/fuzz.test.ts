import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { DerCursor, DerError, readInteger, readSmallInteger, readString } from '../src/index.ts'
import {
  CertificateListView,
  CertificateView,
  readAccessUris,
  readAuthorityInfoAccess,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readDistributionPoints,
  readDistributionPointUris,
  readExtendedKeyUsage,
  readExtensions,
  readIssuingDistributionPoint,
  readKeyUsage,
  readName,
  readNameConstraints,
  readSubjectAltName,
  readSubjectKeyIdentifier,
} from '../src/x509.ts'
import { baseCertificates, certificateList } from './samples.ts'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 200_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)

/** Headers that may be read per octet of input, over all the passes that `readEverything` makes. */
const STEPS_PER_OCTET = 2

it(`${RUNS} mutated certificates and CRLs (FUZZ_SEED=${SEED}): a value or a DerError, in steps bounded by the length`, {
  timeout: 24 * 3_600_000,
}, () => {
  const random = generator(SEED)
  const bases = [
    ...baseCertificates(),
    certificateList(),
    certificateList({ nextUpdate: undefined, revoked: undefined }),
  ]
  for (const base of bases) expect(readEverything(base)).toBeGreaterThan(5)

  const { next } = DerCursor.prototype
  let steps = 0
  DerCursor.prototype.next = function counted(this: DerCursor): number {
    steps++
    return next.call(this)
  }
  let accepted = 0
  let heapBefore = 0
  try {
    for (let run = 0; run < RUNS; run++) {
      if (run === Math.floor(RUNS / 4)) heapBefore = heapInUse()
      const input = mutate(bases[random(bases.length)] as Uint8Array, bases, random)
      steps = 0
      try {
        readEverything(input)
        accepted++
      } catch (error) {
        if (!(error instanceof DerError) || !(error.offset >= 0 && error.offset <= input.length))
          throw new Error(`run ${run} of FUZZ_SEED=${SEED}: ${Buffer.from(input).toString('hex')}`, { cause: error })
      }
      if (steps > STEPS_PER_OCTET * input.length + 4)
        throw new RangeError(`run ${run} of FUZZ_SEED=${SEED}: ${steps} steps for ${input.length} octets`)
    }
  } finally {
    DerCursor.prototype.next = next
  }
  expect(heapInUse() - heapBefore).toBeLessThan(4_000_000)
  if (RUNS >= 10_000) {
    expect(accepted / RUNS).toBeGreaterThan(0.01)
    expect(accepted / RUNS).toBeLessThan(0.9)
  }
})

/** Reads all that the package can read of these bytes; returns how many values that were. */
function readEverything(der: Uint8Array): number {
  const view = looksLikeList(der) ? new CertificateListView(der) : new CertificateView(der)
  let values = readNames(view.issuer)
  const cursor = new DerCursor(view.signatureAlgorithm)
  for (const fields = cursor.enterExpected(0x30); !fields.done; values++) fields.next()
  for (const { oid, value } of view.extensions()) {
    extensionReaders[oid]?.(value)
    values++
  }
  if (view instanceof CertificateListView) {
    for (const revoked = view.revoked(); !revoked.done; values++) {
      const entry = revoked.enterExpected(0x30)
      readInteger(entry.expect(0x02))
      entry.next()
      if (entry.optional(0x30)) values += [...readExtensions(entry.enter())].length
      entry.finish()
    }
  } else values += readNames(view.subject) + view.serialNumber.length
  return values
}

function readNames(name: Uint8Array): number {
  const attributes = readName(name)
  const cursor = new DerCursor(name)
  for (const rdns = cursor.enterExpected(0x30); !rdns.done; ) {
    for (const set = rdns.enterExpected(0x31); !set.done; ) {
      const attribute = set.enterExpected(0x30).expect(0x06)
      attribute.next()
      readString(attribute)
    }
  }
  return attributes.length
}

const extensionReaders: Readonly<Record<string, (value: Uint8Array) => unknown>> = {
  '2.5.29.14': readSubjectKeyIdentifier,
  '2.5.29.15': readKeyUsage,
  '2.5.29.17': readSubjectAltName,
  '2.5.29.18': readSubjectAltName,
  '2.5.29.19': readBasicConstraints,
  '2.5.29.20': (value) => readSmallInteger(new DerCursor(value).expect(0x02)),
  '2.5.29.28': readIssuingDistributionPoint,
  '2.5.29.30': readNameConstraints,
  '2.5.29.31': (value) => [readDistributionPoints(value), readDistributionPointUris(value)],
  '2.5.29.35': readAuthorityKeyIdentifier,
  '2.5.29.37': readExtendedKeyUsage,
  '1.3.6.1.5.5.7.1.1': (value) => [readAuthorityInfoAccess(value), readAccessUris(value, '1.3.6.1.5.5.7.48.1')],
}

/** A CRL's third field is a Name and its fourth a time; reading on is what shows which it is. */
function looksLikeList(der: Uint8Array): boolean {
  try {
    const tbs = new DerCursor(der).enterExpected(0x30).enterExpected(0x30)
    tbs.optional(0x02)
    return tbs.next() === 0x30 && tbs.next() === 0x30 && (tbs.peekTag() & 0xfe) === 0x16
  } catch {
    return false
  }
}

type Random = (below: number) => number

/** One to four changes, of the kinds that parsers trip over: flipped bits, lying lengths, other tags, cuts and splices. */
function mutate(base: Uint8Array, bases: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes = base.slice()
  for (let changes = random(4) + 1; changes > 0 && bytes.length > 0; changes--) {
    const at = random(bytes.length)
    const kind = random(8)
    if (kind === 0) bytes[at] = (bytes[at] as number) ^ (1 << random(8))
    else if (kind === 1) bytes[at] = random(256)
    else if (kind === 2) bytes[at] = INTERESTING[random(INTERESTING.length)] as number
    else if (kind === 3) bytes = bytes.slice(0, at + 1)
    else if (kind === 4) bytes = splice(bytes, at, random(4), bytes.subarray(at, at + random(40)))
    else if (kind === 5) bytes = splice(bytes, at, random(20), new Uint8Array())
    else if (kind === 6) {
      const donor = bases[random(bases.length)] as Uint8Array
      const from = random(donor.length)
      const length = random(60)
      bytes.set(donor.subarray(from, Math.min(from + length, from + bytes.length - at)), at)
    } else moveElement(bytes, random)
  }
  return bytes
}

const INTERESTING = [0x00, 0x01, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x85, 0xff, 0x30, 0x31, 0x1f, 0x02, 0x06, 0xa0, 0xa3]

function splice(bytes: Uint8Array, at: number, removed: number, inserted: Uint8Array): Uint8Array<ArrayBuffer> {
  const rest = bytes.subarray(Math.min(bytes.length, at + removed))
  const out = new Uint8Array(at + inserted.length + rest.length)
  out.set(bytes.subarray(0, at))
  out.set(inserted, at)
  out.set(rest, at + inserted.length)
  return out
}

/** Copies one element's content over another's of the same length, so that the lengths around them stay true. */
function moveElement(bytes: Uint8Array, random: Random): void {
  const cursor = new DerCursor(bytes, random(bytes.length))
  try {
    cursor.next()
    const { contentStart, contentEnd } = cursor
    const from = random(bytes.length)
    bytes.copyWithin(contentStart, from, Math.min(bytes.length, from + Math.min(64, contentEnd - contentStart)))
  } catch {
    // No element stands there: this change is none.
  }
}

/** xorshift32: the same inputs from the same seed on every machine. */
function generator(seed: number): Random {
  let state = seed | 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

function heapInUse(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}
