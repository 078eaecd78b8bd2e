#include "world.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "adapters/overlayfs/mounts.hpp"

namespace left4me::overlay {

namespace {

void must(bool done, const std::string& what) {
    if (!done) throw std::runtime_error(what + ": " + std::strerror(errno) + " (these tests need root)");
}

}  // namespace

World::World() {
    static const bool separated = [] {
        must(::unshare(CLONE_NEWNS) == 0, "a mount namespace of our own");
        must(::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "making mounts private");
        return true;
    }();
    (void)separated;
    std::array<char, 32> name{"/tmp/left4me-world-XXXXXX"};
    must(::mkdtemp(name.data()) != nullptr, "a directory");
    settings.state = name.data();
    settings.owner = Owner{1234, 1234};
    settings.timeout = std::chrono::milliseconds(30);
    must(::mount("tmpfs", name.data(), "tmpfs", 0, "mode=0755") == 0, "tmpfs");
    for (const char* part : {"installation", "overlays", "instances"}) directory(part);
    file("installation/srcds_run", "the game");
}

World::~World() {
    ::umount2(settings.state.c_str(), MNT_DETACH);  // of a namespace that nobody else is in
    ::rmdir(settings.state.c_str());
}

void World::directory(const std::string& name) const { std::filesystem::create_directories(path(name)); }

void World::file(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name)) << text;
}

std::string World::read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(path(name)).rdbuf();
    return text.str();
}

bool World::exists(const std::string& name) const {
    return std::filesystem::exists(std::filesystem::symlink_status(path(name)));
}

void World::symlink(const std::string& name, const std::string& target) const {
    std::filesystem::create_symlink(target, path(name));
}

void World::remove(const std::string& name) const { std::filesystem::remove_all(path(name)); }

void World::render(const std::string& server, const std::string& digest,
                   const std::vector<std::string>& layers) const {
    std::string list;
    for (const std::string& layer : layers) list += layer + "\n";
    const std::string instance = "instances/" + server;
    file(instance + "/" + digest + "/layers", list);
    file(instance + "/" + digest + "/layer/left4dead2/cfg/server.cfg", "rendered " + digest);
    remove(instance + "/current");
    symlink(instance + "/current", digest);
}

std::vector<std::string> World::legitimate(const std::string& server, const std::string& digest,
                                           std::size_t count) const {
    std::vector<std::string> layers{"instances/" + server + "/" + digest + "/layer"};
    for (std::size_t i = 2; i < count; ++i) {
        layers.push_back("overlays/o" + std::to_string(i) + "/0123456789abcdef");
        directory(layers.back());
    }
    layers.emplace_back("installation");
    render(server, digest, layers);
    return layers;
}

std::vector<std::string> World::mounted(const std::string& server) const {
    const auto text = read_mountinfo("/proc/self/mountinfo");
    must(text.has_value(), "mountinfo");
    auto mounts = parse_mounted(*text, settings.state);
    return mounts[server].layers;
}

std::size_t World::mounts(const std::string& server) const {
    const auto text = read_mountinfo("/proc/self/mountinfo");
    must(text.has_value(), "mountinfo");
    const std::string point = " " + path("runtime/" + server + "/merged") + " ";
    std::size_t count = 0;
    for (std::size_t at = text->find(point); at != std::string::npos; at = text->find(point, at + 1)) ++count;
    return count;
}

void check_failed(const Result<>& result, Failure failure, const std::string& words) {
    REQUIRE_FALSE(result);
    INFO(result.error().message);
    CHECK(result.error().failure == failure);
    CHECK(result.error().message.find(words) != std::string::npos);
}

}  // namespace left4me::overlay
