#include "adapters/store/steam_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace left4me::store {
namespace {

Done write_program(int room, const std::string& program) {
    const std::string fresh = std::string(".") + steam_room::program;
    if (::unlinkat(room, fresh.c_str(), 0) != 0 && errno != ENOENT) return io_error(fresh);
    if (auto wrote = write_new(room, fresh, program + "\n", 0640, 0750); !wrote) return wrote;
    if (::renameat(room, fresh.c_str(), room, steam_room::program) != 0) return io_error(steam_room::program);
    return {};
}

}  // namespace

Done settle_steam_room(int parent, const OverlaySource& source) {
    namespace room = steam_room;
    const auto* const steam = std::get_if<SteamSource>(&source);
    if (steam == nullptr) return remove_tree(parent, room::directory);
    const ExactModes exact;
    const auto directory = make_directory(parent, room::directory, 0750);
    if (!directory) return std::unexpected(directory.error());
    if (auto made = make_directory(directory->get(), room::home, 0750); !made)
        return std::unexpected(made.error());
    for (const char* const fifo : {room::commands, room::output}) {
        if (::mkfifoat(directory->get(), fifo, 0600) != 0 && errno != EEXIST) return io_error(fifo);
    }
    return write_program(directory->get(), steam->steamcmd);
}

}  // namespace left4me::store
