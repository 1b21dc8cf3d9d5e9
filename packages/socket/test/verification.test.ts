import { describe, expect, it } from 'vitest'
import { PeerRefusedError } from '../src/index.ts'
import { CHECKS, failure, type Outcomes, refused, Verification, waivedByOption } from '../src/verify/verification.ts'

const passed: Outcomes = {
  fingerprint: { result: 'passed', evidence: { matched: 'sha256$00' } },
  chain: { result: 'passed', evidence: { path: [], anchor: 'test', proven: 'now' } },
  name: { result: 'passed', evidence: { host: 'a', scheme: 'default', entry: 'a' } },
  revocation: { result: 'passed', evidence: { by: 'staple', of: [0], until: new Date(0) } },
}

describe('Verification.judge', () => {
  it('accepts where every check passed or was waived', () => {
    expect(Verification.isGenuine(Verification.judge(passed))).toBe(true)
    expect(Verification.judge({ ...passed, name: waivedByOption('verify.scheme') }).authorized).toBe(true)
    expect(Verification.judge({ ...passed, chain: waivedByOption('rejectUnauthorized') }).authorized).toBe(false)
  })

  describe.each(CHECKS)('refuses where the %s check', (check) => {
    const bad: readonly [string, unknown][] = [
      ['refused', refused(failure('CERT_REVOKED', 0, 'no'))],
      ['is missing', undefined],
      ['gave null', null],
      ['gave true', true],
      ['gave a promise', Promise.resolve(passed[check])],
      ['passed without evidence', { result: 'passed' }],
      ['was waived without a waiver', { result: 'waived', failures: [] }],
      ['was waived by nobody known', { result: 'waived', waiver: { by: 'luck' }, failures: [] }],
      ['refused without a failure', { result: 'refused', failures: [] }],
      ['gave an unknown result', { result: 'ok', evidence: {} }],
      ['gave a result in another case', { result: 'Passed', evidence: {} }],
    ]
    it.each(bad)('%s', (_what, outcome) => {
      const judge = (): Verification => Verification.judge({ ...passed, [check]: outcome })
      expect(judge).toThrow(PeerRefusedError)
      expect(judge).toThrow(expect.objectContaining({ check }))
    })
    it('is inherited instead of given', () => {
      const { [check]: inherited, ...own } = passed
      expect(() => Verification.judge(Object.assign(Object.create({ [check]: inherited }) as object, own))).toThrow(
        PeerRefusedError,
      )
    })
  })

  it('names the first refusing check, in the order in which they run', () => {
    const two = {
      ...passed,
      chain: refused(failure('CERT_HAS_EXPIRED', 1, 'late')),
      name: refused(failure('ERR_TLS_CERT_ALTNAME_INVALID', 0, 'other')),
    }
    expect(() => Verification.judge(two)).toThrow(
      expect.objectContaining({
        check: 'chain',
        code: 'CERT_HAS_EXPIRED',
        outcomes: expect.objectContaining({ name: two.name }),
      }),
    )
  })

  it('is the only way to make one', () => {
    const Constructor = Verification as unknown as new (...args: unknown[]) => unknown
    expect(() => new Constructor()).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'ERR_ILLEGAL_CONSTRUCTOR' }),
    )
    expect(() => new Constructor(Symbol('Verification'), passed, false)).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'ERR_ILLEGAL_CONSTRUCTOR' }),
    )
    for (const fake of [Object.create(Verification.prototype), { outcomes: passed, resumed: false }, undefined, true])
      expect(Verification.isGenuine(fake)).toBe(false)
  })
})
