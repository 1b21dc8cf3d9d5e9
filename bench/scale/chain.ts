import { createPublicKey, X509Certificate, verify } from 'node:crypto'
import { connect as connectTls, createSecureContext as createPlainContext } from 'node:tls'
import { CertificateView } from '@x/der/x509'
import { connect, createSecureContext } from '@x/socket'
import { createAuthority, type IssuedIdentity } from '@x/utils'
import { listedAnchors, validatePath } from '../../packages/socket/src/verify/path/index.ts'
import type { Chart } from '../src/chart.ts'
import { cpuOf, grow, perCall, type Setup } from '../src/growth.ts'
import { transferPeer } from '../src/transfer-peer.ts'

const LENGTHS = [2, 3, 4, 5, 6, 7, 8, 10]
const HANDSHAKES = 40

export default async function charts(): Promise<Chart[]> {
  const x = 'certificates in the chain, the root included'
  return [
    {
      id: 'chain-handshake',
      title: 'A full handshake with a chain of so many certificates',
      text: `The client's side of it, P-256, TLS 1.3: CA and name verified, ${HANDSHAKES} handshakes per sample.`,
      x,
      y: 'CPU time per handshake, µs',
      lines: await grow(LENGTHS, handshakes),
    },
    {
      id: 'chain-walk',
      title: 'A chain of so many certificates, walked',
      text: 'Signatures, validity, constraints and usages of a chain as it came, P-256, beside X509Certificate’s checkIssued() and verify(), and beside the signatures alone.',
      x,
      y: 'CPU time, µs',
      lines: await grow(LENGTHS, walks),
    },
  ]
}

/** From the root to the leaf. */
function chainOf(length: number): IssuedIdentity[] {
  const chain: IssuedIdentity[] = [createAuthority({ subject: { commonName: 'Root' } })]
  for (let i = 2; i < length; i++) {
    const above = chain.at(-1) as IssuedIdentity & { issue: ReturnType<typeof createAuthority>['issue'] }
    chain.push(above.issue({ ca: true, subject: { commonName: `Intermediate ${i}` } }))
  }
  const last = chain.at(-1) as IssuedIdentity & { issue: ReturnType<typeof createAuthority>['issue'] }
  return [...chain, last.issue('localhost')]
}

async function handshakes(length: number): Promise<Setup> {
  const chain = chainOf(length)
  const [root, leaf] = [chain[0] as IssuedIdentity, chain.at(-1) as IssuedIdentity]
  const pem = ({ certificate }: IssuedIdentity): string => certificate.toString()
  const cert = chain.slice(1).reverse().map(pem).join('\n')
  const { port, close } = await transferPeer({ cert, key: leaf.key, minVersion: 'TLSv1.3' })
  const ca = pem(root)
  const where = { host: '127.0.0.1', port, servername: 'localhost' }
  const secureContext = await createSecureContext({ ca })
  const plainContext = createPlainContext({ ca })
  const repeated = (shake: () => Promise<void>) => async (): Promise<number> =>
    (await cpuOf(async () => {
      for (let i = 0; i < HANDSHAKES; i++) await shake()
    })) / HANDSHAKES
  const samples = {
    '@x/socket': repeated(async () => {
      const socket = await connect({ ...where, secureContext })
      socket.destroy()
      await new Promise((resolve) => socket.once('close', resolve))
    }),
    'node:tls': repeated(async () => {
      const socket = connectTls({ ...where, secureContext: plainContext })
      await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
      socket.destroy()
      await new Promise((resolve) => socket.once('close', resolve))
    }),
  }
  for (const sample of Object.values(samples)) for (let i = 0; i < 6; i++) await sample()
  return { samples, close }
}

function walks(length: number): Setup {
  const [root, ...rest] = chainOf(length) as [IssuedIdentity, ...IssuedIdentity[]]
  const ders = rest.reverse().map(({ raw }) => raw)
  const anchors = listedAnchors([root.raw])
  const now = Date.now() + 86_400_000
  const views = ders.map((der) => new CertificateView(der))
  const keys = [...ders.slice(1), root.raw].map((der) => createPublicKey(new X509Certificate(der).toString()))
  const samples = {
    '@x/socket': perCall(() => {
      // a connection's certificates are new bytes each time
      const chain = ders.map((der) => Uint8Array.from(der))
      const { failures } = validatePath({ chain, anchors, purpose: 'server', now, partialChain: true })
      if (failures.length > 0) throw new TypeError(failures[0]?.message)
    }),
    X509Certificate: perCall(() => {
      const chain = [...ders.map((der) => new X509Certificate(der)), root.certificate]
      for (const [i, issuer] of chain.slice(1).entries()) {
        const subject = chain[i] as X509Certificate
        if (!subject.checkIssued(issuer) || !subject.verify(issuer.publicKey)) throw new TypeError('not issued')
      }
    }),
    'the signatures alone': perCall(() => {
      for (const [i, { tbs, signature }] of views.entries())
        if (!verify('sha256', tbs, keys[i] as (typeof keys)[0], signature)) throw new TypeError('not signed')
    }),
  }
  return { samples }
}
