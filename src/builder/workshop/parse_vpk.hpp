#pragma once

namespace left4me::builder {

/// Checks the VPK that `file` is open at, and sends End to `pipe`, or Failed with what is wrong: another
/// magic number or version, a damaged list of files, a file that ends behind the end or is in another VPK.
/// Contents are not looked at. The format: https://developer.valvesoftware.com/wiki/VPK_(file_format),
/// versions 1 and 2. Run it in a process that can do nothing else, Confinement::ParseOnly.
void parse_vpk(int file, int pipe);

}  // namespace left4me::builder
