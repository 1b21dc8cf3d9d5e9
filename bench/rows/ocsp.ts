import { execFile } from 'node:child_process'
import { sign, verify, webcrypto, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createOcspRequest, createOcspResponse, verifyOcspResponse } from '@x/ocsp'
import { createAuthority, type IssuedIdentity } from '@x/utils'
import { convertToPkijsCert, parseOCSPResponse } from 'easy-ocsp'
import * as pkijs from 'pkijs'
import type { BenchRow, Subject } from '../src/row.ts'

export default async function rows(): Promise<BenchRow[]> {
  const ca = createAuthority({ subject: { commonName: 'Bench CA' } })
  const leaf = ca.issue({ names: 'www.example.org', ocspUris: ['http://ocsp.example/'] })
  const delegate = ca.issue({ subject: { commonName: 'Responder' }, extendedKeyUsage: ['OCSPSigning'] })
  const pair = { certificate: leaf.raw, issuer: ca.raw }
  const responses = [{ ...pair, status: 'good' as const }]
  const direct = createOcspResponse({ signer: ca, responses })
  const delegated = createOcspResponse({ signer: delegate, certificates: [delegate], responses })
  const bare = bareVerify(ca)
  const theirs = await peers(leaf, ca, direct)
  const original = new Original({ leaf, ca, direct, delegated })

  return [
    {
      name: 'ocsp: build a request',
      subjects: { '@x/ocsp': () => createOcspRequest(pair), pkijs: theirs.request },
      batch: 200,
      goals: [{ atMost: 10 }, { of: 'pkijs', atMost: 0.1 }],
    },
    {
      name: 'ocsp: verify a response, P-256, signed by the CA',
      subjects: {
        '@x/ocsp': () => verifyOcspResponse(direct, pair),
        'crypto.verify': bare,
        'easy-ocsp': theirs.verify,
      },
      batch: 50,
      goals: [
        { of: 'crypto.verify', atMost: 1.25 },
        { of: 'easy-ocsp', atMost: 0.1 },
      ],
    },
    {
      name: 'ocsp: verify a response, P-256, signed by a delegate',
      subjects: { '@x/ocsp': () => verifyOcspResponse(delegated, pair), 'crypto.verify': bare },
      batch: 50,
      goals: [{ of: 'crypto.verify', atMost: 2.5 }],
    },
    {
      name: 'ocsp: build a request, beside the original',
      measure: {
        '@x/ocsp': () => cpuMicroseconds(() => createOcspRequest(pair)),
        'the original': original.measure('request'),
      },
      goals: [{ of: 'the original', atMost: 1 }],
    },
    {
      name: 'ocsp: verify a response, signed by a delegate, beside the original',
      measure: {
        '@x/ocsp': () => cpuMicroseconds(() => verifyOcspResponse(delegated, pair)),
        'the original': original.measure('delegated'),
      },
      goals: [{ of: 'the original', atMost: 0.45 }],
      close: () => original.close(),
    },
  ]
}

/** What no verification can do without: one signature over as many bytes. */
function bareVerify({ privateKey, certificate }: IssuedIdentity): Subject {
  const data = Buffer.alloc(180, 1)
  const signature = sign('sha256', data, privateKey)
  const { publicKey } = certificate
  return () => verify('sha256', data, publicKey, signature)
}

/** easy-ocsp verifies through pkijs, and builds its requests as it does here. Certificates are parsed beforehand. */
async function peers(
  leaf: IssuedIdentity,
  ca: IssuedIdentity,
  response: Uint8Array,
): Promise<{ request: Subject; verify: Subject }> {
  pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto as Crypto }))
  const own = [leaf, ca].map(({ raw }) => pkijs.Certificate.fromBER(Uint8Array.from(raw).buffer))
  const [certificate, issuerCertificate] = own as [pkijs.Certificate, pkijs.Certificate]
  const theirLeaf = convertToPkijsCert(new X509Certificate(leaf.raw))
  const theirCa = convertToPkijsCert(new X509Certificate(ca.raw))
  const bytes = Uint8Array.from(response).buffer
  return {
    request: async () => {
      const request = new pkijs.OCSPRequest()
      await request.createForCertificate(certificate, { hashAlgorithm: 'SHA-1', issuerCertificate })
      return request.toSchema(true).toBER()
    },
    verify: () =>
      parseOCSPResponse(
        bytes,
        theirLeaf,
        theirCa,
        { ca: theirCa, validateSignature: true, ocspUrl: 'http://ocsp.example/' },
        null,
      ),
  }
}

async function cpuMicroseconds(work: () => unknown, calls = 2_000): Promise<number> {
  const before = process.cpuUsage()
  for (let i = 0; i < calls; i++) work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

/** Net::SSLeay, which the original asks and verifies through, in a process of its own. */
class Original {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'x-bench-ocsp-'))

  constructor({
    leaf,
    ca,
    direct,
    delegated,
  }: { leaf: IssuedIdentity; ca: IssuedIdentity; direct: Uint8Array; delegated: Uint8Array }) {
    writeFileSync(join(this.#folder, 'leaf.pem'), leaf.certificate.toString())
    writeFileSync(join(this.#folder, 'ca.pem'), ca.cert)
    writeFileSync(join(this.#folder, 'direct'), direct)
    writeFileSync(join(this.#folder, 'delegated'), delegated)
  }

  /** Undefined where it is not installed. */
  measure(what: 'request' | 'direct' | 'delegated'): () => Promise<number> {
    return async () => {
      const { stdout } = await promisify(execFile)('perl', ['-e', script, this.#folder, what])
      return Number(stdout)
    }
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

const script = `
  use strict; use warnings; use Net::SSLeay; use IO::Socket::SSL;
  my ($folder, $what) = @ARGV;
  my $ctx = Net::SSLeay::CTX_new_with_method(Net::SSLeay::TLS_client_method());
  Net::SSLeay::CTX_load_verify_locations($ctx, "$folder/ca.pem", '') or die 'ca';
  my $ssl = Net::SSLeay::new($ctx) or die 'ssl';
  my $bio = Net::SSLeay::BIO_new_file("$folder/leaf.pem", 'r');
  my $leaf = Net::SSLeay::PEM_read_bio_X509($bio) or die 'leaf';
  my $der = $what eq 'request' ? '' : do { local $/; open my $in, '<:raw', "$folder/$what" or die; <$in> };
  my $work = $what eq 'request'
    ? sub { Net::SSLeay::i2d_OCSP_REQUEST(Net::SSLeay::OCSP_ids2req(Net::SSLeay::OCSP_cert2ids($ssl, $leaf))) }
    : sub {
        my $response = Net::SSLeay::d2i_OCSP_RESPONSE($der) or die 'response';
        Net::SSLeay::OCSP_response_verify($ssl, $response, undef) or die 'verify';
        my @results = Net::SSLeay::OCSP_response_results($response, Net::SSLeay::OCSP_cert2ids($ssl, $leaf));
        die $results[0][1] if $results[0][1];
        Net::SSLeay::OCSP_RESPONSE_free($response);
      };
  $work->() for 1 .. 20;
  my $calls = $what eq 'request' ? 20_000 : 500; # the clock has ticks of 10 ms
  my ($user, $system) = times;
  $work->() for 1 .. $calls;
  my ($user2, $system2) = times;
  print 1e6 * ($user2 - $user + $system2 - $system) / $calls;
`
