import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import { describe, expect, it } from 'vitest'
import type { TlsRoots } from '../src/node-roots.ts'
import { loadCaStore } from '../src/index.ts'
import { detect, expired, pem, root } from './support.ts'

const bundled = root('Bundled')
const extra = root('Extra')

function newTls(all: readonly string[], extras: readonly string[] = []): TlsRoots & { all: readonly string[] } {
  const world = {
    all,
    rootCertificates: [bundled.cert],
    getCACertificates: (type: string): readonly string[] =>
      type === 'default' ? world.all : type === 'extra' ? extras : [],
  }
  return world
}

describe('the options of a secure context', () => {
  it('are empty where the store is what Node trusts anyway, and stay so', () => {
    const store = detect({ tls: newTls([bundled.cert]) })
    expect(store.secureContextOptions()).toEqual({})
    expect(store.secureContextOptions()).toBe(store.secureContextOptions())
    expect(detect({ tls: newTls([bundled.cert, extra.cert], [extra.cert]) }).secureContextOptions()).toEqual({})
    expect(detect({ tls: newTls([bundled.cert, expired.cert, bundled.cert]) }).secureContextOptions()).toEqual({})
  })

  it('are empty on a Node that cannot list, too', () => {
    expect(detect().secureContextOptions()).toEqual({})
  })

  it.each([
    [
      'the program changed Node’s default later',
      (): unknown => {
        const world = newTls([bundled.cert])
        const store = detect({ tls: world })
        expect(store.secureContextOptions()).toEqual({})
        world.all = [bundled.cert, extra.cert]
        return store.secureContextOptions()
      },
    ],
    [
      'Node would trust an entry that is no CA',
      (): unknown => {
        const leaf = bundled.issue('x').cert
        return detect({ tls: newTls([bundled.cert, leaf], [leaf]) }).secureContextOptions()
      },
    ],
    [
      'Node uses OpenSSL’s directories',
      (): unknown => detect({ execArgv: ['--use-openssl-ca'] }).secureContextOptions(),
    ],
    [
      'Node is built to use them',
      (): unknown => detect({ buildDefines: ['X', 'NODE_OPENSSL_CERT_STORE'] }).secureContextOptions(),
    ],
    [
      'Node is told so by NODE_OPTIONS',
      (): unknown => detect({ env: { NODE_OPTIONS: '--use_openssl_ca -r x' } }).secureContextOptions(),
    ],
    [
      'Node cannot tell which extra certificates it took',
      (): unknown => detect({ env: { NODE_EXTRA_CA_CERTS: '/x.pem' } }).secureContextOptions(),
    ],
    [
      'a program gives the same roots',
      (): unknown => loadCaStore({ certificates: bundled.cert }).secureContextOptions(),
    ],
  ])('name the anchors where %s', (_, options) => {
    expect(options()).toEqual({ ca: [bundled.cert] })
  })

  it('name what Node lists without its own roots', () => {
    const store = detect({ tls: newTls([extra.cert]) })
    expect(store.secureContextOptions()).toEqual({ ca: [extra.cert] })
  })

  it('are made once and cannot be changed', () => {
    const store = loadCaStore({ certificates: [bundled.cert, extra.cert] })
    const options = store.secureContextOptions()
    expect(store.secureContextOptions()).toBe(options)
    expect(Object.isFrozen(options)).toBe(true)
    expect(() => options.ca?.push('x')).toThrow(TypeError)
  })
})

describe('with node:tls', () => {
  const server = root('TLS').issue('localhost')

  it.each([
    ['the store that holds the server’s CA', [extra.cert, root('TLS').cert], true],
    ['a broken entry beside it', [pem(Uint8Array.of(0x30, 0)), root('TLS').cert], true],
    ['a store without it', [extra.cert], false],
  ])('%s', async (_, certificates, authorized) => {
    const listening = tls
      .createServer({ cert: server.cert, key: server.key }, (socket) => socket.end())
      .listen(0, '127.0.0.1')
    await once(listening, 'listening')
    const { port } = listening.address() as AddressInfo
    const { ca } = loadCaStore({ certificates }).secureContextOptions()
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      rejectUnauthorized: false,
      ...(ca && { ca }),
    })
    await once(socket, 'secureConnect')
    expect(socket.authorized).toBe(authorized)
    socket.destroy()
    listening.close()
    await once(listening, 'close')
  })
})

it('toPem is the anchors as blocks of 64 columns', () => {
  const text = loadCaStore({ certificates: [bundled.cert, 'junk', extra.cert] }).toPem()
  expect(text).toBe(bundled.cert + extra.cert)
  expect(loadCaStore({ certificates: text }).toPem()).toBe(text)
})
