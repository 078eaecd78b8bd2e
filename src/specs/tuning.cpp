#include "specs/tuning.hpp"

namespace left4me {

std::string tuning_text(std::string_view unit, const UnitSettings& settings) {
    std::string text =
        "# left4me writes this file after the manifest host/this, and undoes other changes of it.\n";
    text += unit.ends_with(".slice") ? "[Slice]\n" : unit.ends_with(".scope") ? "[Scope]\n" : "[Service]\n";
    for (const auto& [name, value] : settings) {
        if (name == start_parallel_setting) {
            // Without the program, after a downgrade, servers start as before.
            text.append("TimeoutStartSec=infinity\n");
            text.append("ExecStartPre=-" LEFT4ME_LIBEXEC "/left4me-turn %i ").append(value).append("\n");
            continue;
        }
        const NumberSetting* const number = number_setting(name);
        if (number != nullptr && number->of_environment) text.append("Environment=");
        text.append(name).append("=").append(value).append("\n");
    }
    return text;
}

}  // namespace left4me
