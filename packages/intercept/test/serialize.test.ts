import { inspect } from 'node:util'
import { serialize as v8Serialize } from 'node:v8'
import { createAuthority, generateKeySync } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { type Clone, Interceptor } from '../src/index.ts'
import { identityOf, NOW, origin, proxyCa } from './samples.ts'

const passphrase = 'correct horse'

describe('serialize and deserialize', () => {
  it('bring back CA, keys, policies and clones', async () => {
    const before = new Interceptor({ ...proxyCa, maxValidityDays: 30, serial: 7, cacheSize: 50, now: () => NOW })
    const { certificate } = origin()
    const clone = before.clone(certificate, 'host')
    const sealed = await before.serialize({ passphrase: () => Promise.resolve(passphrase) })
    const after = await Interceptor.deserialize(sealed, { passphrase: () => passphrase, now: () => NOW })
    expect(after.certificate.raw).toEqual(before.certificate.raw)
    const again = after.clone(certificate, 'host')
    expect(again.raw).toEqual(Buffer.from(clone.raw))
    expect(again.privateKey.equals(clone.privateKey)).toBe(true)
    expect(again.cert).toBe(clone.cert)
    const next = after.clone(origin().certificate)
    expect(BigInt(`0x${next.certificate.serialNumber}`)).toBe(9n)
    expect(next.privateKey.equals(clone.privateKey)).toBe(true)
    expect(next.certificate.checkIssued(proxyCa.certificate)).toBe(true)
  })

  it('bring back keys of each kind', async () => {
    const own = new Interceptor({ ...proxyCa, leafKey: 'own' })
    const { certificate } = origin()
    const clone = own.clone(certificate)
    const restored = await Interceptor.deserialize(await own.serialize({ passphrase }), { passphrase })
    expect(restored.clone(certificate).privateKey.equals(clone.privateKey)).toBe(true)
    expect(restored.clone(origin().certificate).privateKey.equals(clone.privateKey)).toBe(false)

    const leafKey = generateKeySync({ type: 'ec', curve: 'P-384' })
    const given = await new Interceptor({ ...proxyCa, leafKey }).serialize({ passphrase })
    const same = await Interceptor.deserialize(given, { passphrase })
    expect(same.clone(certificate).privateKey.equals(leafKey)).toBe(true)

    const rsa = new Interceptor(proxyCa)
    const rsaClone = rsa.clone(origin({ privateKey: generateKeySync('rsa') }).certificate)
    const rsaAgain = await Interceptor.deserialize(await rsa.serialize({ passphrase }), { passphrase })
    const other = rsaAgain.clone(origin({ privateKey: generateKeySync('rsa') }).certificate)
    expect(other.privateKey.equals(rsaClone.privateKey)).toBe(true)
  })

  it('bring back an intermediate CA with its chain', async () => {
    const root = createAuthority('Root')
    const intermediate = root.issue({ ca: true })
    const before = new Interceptor({
      certificate: [intermediate.certificate, root.certificate],
      privateKey: intermediate.privateKey,
    })
    const after = await Interceptor.deserialize(await before.serialize({ passphrase }), { passphrase })
    const { certificate } = origin()
    expect(after.clone(certificate).cert.match(/BEGIN CERTIFICATE/g)?.length).toBe(2)
    expect(before.clone(certificate).cert.match(/BEGIN CERTIFICATE/g)?.length).toBe(2)
  })

  it('want a serial policy again that was a function', async () => {
    const sealed = await new Interceptor({ ...proxyCa, serial: () => 5n }).serialize({ passphrase })
    await expect(Interceptor.deserialize(sealed, { passphrase })).rejects.toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining('"serial"') as string }),
    )
    const after = await Interceptor.deserialize(sealed, { passphrase, serial: () => 6n })
    expect(after.clone(origin().certificate).certificate.serialNumber).toBe('06')
  })

  it('leave a cache of one’s own alone', async () => {
    const cache = new Map<string, Clone>()
    const interceptor = new Interceptor({ ...proxyCa, cache })
    interceptor.clone(origin().certificate)
    const empty = await new Interceptor(proxyCa).serialize({ passphrase })
    expect((await interceptor.serialize({ passphrase })).length).toBeLessThan(empty.length + 400)
    const after = await Interceptor.deserialize(empty, { passphrase, cache })
    after.clone(origin().certificate)
    expect(cache.size).toBe(2)
  })
})

describe('what is sealed', () => {
  it('shows neither key nor name, and differs each time', async () => {
    const interceptor = new Interceptor(proxyCa)
    interceptor.clone(origin().certificate, 'secret-host.example')
    const [a, b] = [await interceptor.serialize({ passphrase }), await interceptor.serialize({ passphrase })]
    for (const word of ['secret-host', 'PRIVATE', 'certificates', 'clones']) expect(a.includes(word)).toBe(false)
    expect(a.subarray(5, 33)).not.toEqual(b.subarray(5, 33))
  })

  it('is refused after any change', async () => {
    const sealed = await new Interceptor(proxyCa).serialize({ passphrase })
    for (const at of [0, 4, 5, 20, 21, 32, 33, 100, sealed.length - 17, sealed.length - 1]) {
      const changed = Buffer.from(sealed)
      changed[at] = (changed[at] as number) ^ 1
      const code = at < 5 ? 'ERR_INTERCEPT_SERIALIZED_INVALID' : 'ERR_INTERCEPT_PASSPHRASE_WRONG'
      await expect(Interceptor.deserialize(changed, { passphrase })).rejects.toMatchObject({
        name: 'InterceptError',
        code,
      })
    }
    await expect(Interceptor.deserialize(sealed, { passphrase: 'wrong' })).rejects.toMatchObject({
      code: 'ERR_INTERCEPT_PASSPHRASE_WRONG',
    })
    await expect(Interceptor.deserialize(sealed.subarray(0, -1), { passphrase })).rejects.toMatchObject({
      code: 'ERR_INTERCEPT_PASSPHRASE_WRONG',
    })
    await expect(Interceptor.deserialize(Buffer.concat([sealed, Buffer.of(0)]), { passphrase })).rejects.toMatchObject({
      code: 'ERR_INTERCEPT_PASSPHRASE_WRONG',
    })
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a prefix', Buffer.from('XINT\u0001')],
    ['another version', Buffer.concat([Buffer.from('XINT\u0002'), Buffer.alloc(100)])],
    ['10 MB of zeros', Buffer.alloc(10_000_000)],
    ['what v8 serialized', v8Serialize({ certificates: [], privateKey: '' })],
    ['more than there can be', Buffer.concat([Buffer.from('XINT\u0001'), Buffer.alloc(2 ** 26)])],
  ])('is not %s', async (_, bytes) => {
    await expect(Interceptor.deserialize(bytes, { passphrase })).rejects.toMatchObject({
      name: 'InterceptError',
      code: 'ERR_INTERCEPT_SERIALIZED_INVALID',
    })
  })

  it.each([undefined, 7, '', () => '', () => undefined, () => Promise.resolve(7)])(
    'wants a passphrase, not %s',
    async (wrong) => {
      const interceptor = new Interceptor(proxyCa)
      const misuse = expect.objectContaining({
        name: 'TypeError',
        message: expect.stringContaining('"passphrase"') as string,
      }) as Error
      await expect(interceptor.serialize({ passphrase: wrong as string })).rejects.toThrow(misuse)
      const sealed = Buffer.concat([Buffer.from('XINT\u0001'), Buffer.alloc(100)])
      await expect(Interceptor.deserialize(sealed, { passphrase: wrong as string })).rejects.toThrow(misuse)
    },
  )

  it('refuses options that it does not know', async () => {
    const interceptor = new Interceptor(proxyCa)
    await expect(interceptor.serialize({ passphrase, iterations: 1 } as never)).rejects.toThrow(TypeError)
    await expect(
      Interceptor.deserialize(Buffer.alloc(0), { passphrase, mirrorInvalidity: false } as never),
    ).rejects.toThrow(TypeError)
    await expect(Interceptor.deserialize('text' as never, { passphrase })).rejects.toThrow(TypeError)
  })
})

describe('the CA’s private key', () => {
  it('is in nothing that the interceptor shows', () => {
    const ca = identityOf(createAuthority('Secret'))
    const interceptor = new Interceptor(ca)
    interceptor.clone(origin().certificate)
    const { d } = ca.privateKey.export({ format: 'jwk' }) as { d: string }
    const shown = `${inspect(interceptor, { showHidden: true, depth: 9, getters: true })}${JSON.stringify(interceptor)}`
    expect(shown).not.toContain(d)
    expect(shown).not.toContain('KeyObject')
    expect(Object.keys(interceptor)).toEqual([])
    expect(interceptor.ca).toBe(ca.certificate.toString())
  })
})
