import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { certificateToPem, privateKeyToPem } from '@x/utils'
import type { PeerInput } from './intercept-peers.ts'

const CALLS = 1000

/** Clones without a cache, and prints the CPU microseconds (user and system) that one took. */
const PROGRAM = `
use strict; use warnings;
use IO::Socket::SSL::Intercept; use IO::Socket::SSL::Utils;
my ($folder, $calls) = @ARGV;
my $origin = PEM_file2cert("$folder/origin.pem");
my $mitm = IO::Socket::SSL::Intercept->new(
  proxy_cert_file => "$folder/ca.pem", proxy_key_file => "$folder/ca.key", cert_key_file => "$folder/leaf.key",
  cache => sub { return 1 if $_[0] eq 'type'; return $_[1]->() },
);
sub work { for (1..$_[0]) { my ($cert) = $mitm->clone_cert($origin); CERT_free($cert) } }
work($calls / 10);
my @before = times(); work($calls); my @after = times();
printf "%.3f\\n", 1e6 * ($after[0] + $after[1] - $before[0] - $before[1]) / $calls;
`

/** IO::Socket::SSL::Intercept in a process of its own; undefined where Perl has no such module. */
export function originalClone(
  input: PeerInput,
): { readonly measure: () => Promise<number>; readonly close: () => void } | undefined {
  if (spawnSync('perl', ['-MIO::Socket::SSL::Intercept', '-e', '1']).status !== 0) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'bench-clone-'))
  const files = {
    'origin.pem': certificateToPem({ raw: input.origin }),
    'ca.pem': certificateToPem({ raw: input.ca }),
    'ca.key': privateKeyToPem(input.caKey),
    'leaf.key': privateKeyToPem(input.leafKey),
    'clone.pl': PROGRAM,
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 })
  return {
    measure: async () => {
      const { stdout } = await promisify(execFile)('perl', [join(folder, 'clone.pl'), folder, String(CALLS)])
      return Number(stdout)
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}
