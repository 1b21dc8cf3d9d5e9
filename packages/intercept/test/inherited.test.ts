import { type Call, describeInheritedOptions, outcome, refusal } from '@x-testing/inherited'
import { describe, expect, it } from 'vitest'
import { Interceptor } from '../src/index.ts'
import { NOW, origin, originCa, proxyCa } from './samples.ts'

const now = (): number => NOW
const passphrase = 'long enough'
const interceptor = new Interceptor({ ...proxyCa, now })
const certificate = origin().raw
const sealed = await interceptor.serialize({ passphrase })
const secret = { passphrase }

const calls: readonly Call[] = [
  ['mirrorInvalidity', 'new Interceptor', false, proxyCa, (options) => new Interceptor(options)],
  ['maxValidityDays', 'new Interceptor', 10_000, proxyCa, (options) => new Interceptor(options)],
  ['leafKey', 'new Interceptor', originCa.privateKey, proxyCa, (options) => new Interceptor(options)],
  ['cache', 'new Interceptor', new Map(), proxyCa, (options) => new Interceptor(options)],
  ['now', 'new Interceptor', now, proxyCa, (options) => new Interceptor(options)],
  ['untrusted', 'Interceptor.clone', false, {}, (options) => interceptor.clone(certificate, options)],
  ['ident', 'Interceptor.clone', 'other', { untrusted: true }, (options) => interceptor.clone(certificate, options)],
  ['untrusted', 'Interceptor.secureContext', false, {}, (options) => interceptor.secureContext(certificate, options)],
  ['now', 'Interceptor.serialize', now, secret, async (options) => interceptor.serialize(options)],
  ['cache', 'Interceptor.deserialize', new Map(), secret, async (options) => Interceptor.deserialize(sealed, options)],
  ['now', 'Interceptor.deserialize', now, secret, async (options) => Interceptor.deserialize(sealed, options)],
]

describeInheritedOptions(calls)

describe('what is polluted after an interceptor was made', () => {
  const expired = origin({ notBefore: 0, notAfter: 86_400_000 }).raw
  it('is refused, and does not give an expired certificate a clone that is valid', async () => {
    for (const run of [
      () => interceptor.clone(expired),
      () => interceptor.clone(expired, 'www.example.org:443'),
      () => interceptor.secureContext(expired, 'www.example.org:443'),
    ])
      expect(await outcome(run, { mirrorInvalidity: false })).toEqual(refusal('mirrorInvalidity'))
  })
})
