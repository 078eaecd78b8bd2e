#include "adapters/store/script_files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

namespace left4me::store {

Done make_script_room(int parent, const ScriptSource& source) {
    namespace room = script_room;
    if (auto removed = remove_tree(parent, room::directory); !removed) return removed;
    // The script runs as a user that exists only meanwhile, and reads and writes as "others".
    const ExactModes exact;
    const auto directory = make_directory(parent, room::directory, 0755);
    if (!directory) return std::unexpected(directory.error());
    const std::string limits = fmt::format("memory {}\ndisk {}\n", source.memory, source.disk);
    if (auto wrote = write_new(directory->get(), room::text, source.run, 0644, 0755); !wrote) return wrote;
    if (auto wrote = write_new(directory->get(), room::limits, limits, 0644, 0755); !wrote) return wrote;
    if (source.network == ScriptNetwork::Public) {
        if (auto wrote = write_new(directory->get(), room::is_public, "", 0644, 0755); !wrote) return wrote;
    }
    for (const char* const fifo : {room::output, room::result}) {
        if (::mkfifoat(directory->get(), fifo, 0666) != 0) return io_error(fifo);
    }
    return {};
}

}  // namespace left4me::store
