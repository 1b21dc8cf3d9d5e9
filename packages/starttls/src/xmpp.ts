import type { Duplex } from 'node:stream'
import { converse, type Dialogue } from './dialogue.ts'
import { requireName, type StartTlsOptions } from './options.ts'

const namespace = 'urn:ietf:params:xml:ns:xmpp-tls'
const maxTags = 256

/** XMPP, client to server (RFC 6120, 5): stream header with `options.name` as the domain, features, starttls, proceed. */
export async function xmpp(stream: Duplex, options: StartTlsOptions = {}): Promise<void> {
  const name = requireName(options)
  await converse('xmpp', stream, options, async (peer) => {
    await peer.ask(
      `<?xml version='1.0'?><stream:stream to='${name}' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`,
    )
    if (!(await offersTls(peer))) throw peer.error('ERR_STARTTLS_UNSUPPORTED', 'the server does not offer STARTTLS')
    await peer.ask(`<starttls xmlns='${namespace}'/>`)
    const answer = await nextTag(peer)
    if (!/^<proceed[\s/>]/.test(answer) || !hasNamespace(answer)) {
      throw peer.error('ERR_STARTTLS_REFUSED', 'the server refuses to start TLS', answer)
    }
    if (answer.endsWith('/>')) return
    const end = await nextTag(peer)
    if (!/^<\/proceed\s*>$/.test(end)) throw peer.error('ERR_STARTTLS_PROTOCOL', 'this does not end the answer', end)
  })
}

async function offersTls(peer: Dialogue): Promise<boolean> {
  let found = false
  let inFeatures = false
  for (let i = 0; i < maxTags; i++) {
    const tag = await nextTag(peer)
    if (/^<stream:error[\s/>]/.test(tag))
      throw peer.error('ERR_STARTTLS_REFUSED', 'the server does not open a stream', tag)
    if (/^<stream:features\s*\/>/.test(tag)) return false
    if (/^<stream:features[\s>]/.test(tag)) inFeatures = true
    if (inFeatures && /^<starttls[\s/>]/.test(tag) && hasNamespace(tag)) found = true
    if (/^<\/stream:features\s*>/.test(tag)) return found
  }
  throw peer.error('ERR_STARTTLS_LIMIT', `more than ${maxTags} tags before the end of the features`)
}

function hasNamespace(tag: string): boolean {
  return new RegExp(`\\sxmlns=(["'])${namespace}\\1`).test(tag)
}

/**
 * The next tag; text before it is passed over, but not behind it. XMPP has no comments, no CDATA in front of features, and no document
 * types (RFC 6120, 11.1), so a tag ends at the first `>` outside of quotes.
 */
async function nextTag(peer: Dialogue): Promise<string> {
  let tag = ''
  let quote = ''
  for (let length = 0; length < 8192; length++) {
    const character = (await peer.bytes(1)).toString('latin1')
    if (tag === '' && character !== '<') continue
    tag += character
    if (quote !== '') {
      if (character === quote) quote = ''
    } else if (character === '"' || character === "'") {
      quote = character
    } else if (character === '>') {
      if (tag.startsWith('<!')) throw peer.error('ERR_STARTTLS_PROTOCOL', 'this has no place in a stream', tag)
      return tag
    }
  }
  throw peer.error('ERR_STARTTLS_LIMIT', 'the peer sent a tag of more than 8192 bytes')
}
