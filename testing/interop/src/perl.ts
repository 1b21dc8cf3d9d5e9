import { spawnSync } from 'node:child_process'

/** True where `perl` has this module; printed, or an error under REQUIRE_PEERS=1, where it has not. */
export function perlHas(module: string): boolean {
  if (spawnSync('perl', [`-M${module}`, '-e', '1']).status === 0) return true
  if (process.env['REQUIRE_PEERS'] === '1') throw new Error(`the Perl module '${module}' is required but not installed`)
  console.log(`skipped: the Perl module '${module}' is not installed`)
  return false
}
