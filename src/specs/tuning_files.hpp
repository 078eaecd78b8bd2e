#pragma once

/// The drop-ins of specs/tuning.hpp on disk.
namespace left4me {

/// What tuning_file is called on its way out, when systemd does not read it any more. One that is still there
/// shows that systemd may not have read its unit files since.
inline constexpr const char* leaving_tuning_file = "50-left4me.conf.leaving";

}  // namespace left4me
