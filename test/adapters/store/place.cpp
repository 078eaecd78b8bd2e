#include "place.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "adapters/store/source_root.hpp"
#include "adapters/store/tree.hpp"

namespace left4me {

namespace fs = std::filesystem;

Place::Place() {
    std::array<char, 32> name{"/tmp/left4me-store-XXXXXX"};
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root_ = name.data();
    paths.state = root_;
    paths.config = root_ / "etc";
    paths.run = root_ / "run";
    for (const char* part : {"overlays", "instances", "runtime", "state", "installation", "etc/secrets"})
        directory(part);
}

Place::~Place() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
}

void Place::file(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    std::ofstream stream(path(name), std::ios::trunc | std::ios::binary);
    stream << text;
    REQUIRE(stream.flush());
}

void Place::directory(const std::string& name) const { fs::create_directories(path(name)); }
void Place::symlink(const std::string& name, const std::string& target) const {
    fs::create_symlink(target, path(name));
}
void Place::remove(const std::string& name) const { fs::remove_all(path(name)); }

std::string Place::read(const std::string& name) const {
    std::ifstream stream(path(name), std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

bool Place::exists(const std::string& name) const { return fs::exists(fs::symlink_status(path(name))); }

mode_t Place::mode(const std::string& name) const {
    struct stat status{};
    REQUIRE(::lstat(path(name).c_str(), &status) == 0);
    return status.st_mode & 07777U;
}

ino_t Place::inode(const std::string& name) const {
    struct stat status{};
    REQUIRE(::lstat(path(name).c_str(), &status) == 0);
    return status.st_ino;
}

std::vector<std::string> Place::names(const std::string& directory) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(path(directory))) {
        names.push_back(fs::relative(entry.path(), path(directory)).string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

void Place::let_settle() const { std::this_thread::sleep_for(std::chrono::milliseconds(1100)); }

Target Place::target(const Desired& desired) const {
    Store store(paths);
    Target target = resolve(std::make_shared<const Desired>(desired), store.read_inputs(desired));
    Observed observed;
    store.observe(target, observed);  // saves the digests, once everything was observed
    return target;
}

Observed Place::observe(const Desired& desired) const {
    Observed observed;
    Store store(paths);
    store.observe(resolve(std::make_shared<const Desired>(desired), store.read_inputs(desired)), observed);
    return observed;
}

std::shared_ptr<const TargetRendering> Place::rendering(const Desired& desired,
                                                        const std::string& name) const {
    const Target whole = target(desired);
    const auto& rendering = whole.find(name)->rendering;
    INFO((rendering ? "" : rendering.error().message));
    REQUIRE(rendering);
    return *rendering;
}

std::string Place::error(const Desired& desired, const std::string& name) const {
    const Target whole = target(desired);
    REQUIRE_FALSE(whole.find(name)->rendering);
    return whole.find(name)->rendering.error().message;
}

void Place::converge(const Desired& desired) const {
    Store store(paths);
    const Target whole = target(desired);
    for (const auto& [name, overlay] : whole.overlays) {
        REQUIRE(overlay.artifact);
        const auto built = store.build(name, std::get<InlineSource>(*overlay.source), *overlay.artifact);
        INFO((built ? "" : built.error().message));
        REQUIRE(built);
    }
    for (const auto& [name, server] : whole.servers) {
        REQUIRE(server.rendering);
        const auto rendered = store.render(**server.rendering);
        INFO((rendered ? "" : rendered.error().message));
        REQUIRE(rendered);
    }
    REQUIRE(store.sync());
}

DesiredServer a_server(const std::string& name, const std::vector<std::string>& overlays) {
    DesiredServer server;
    server.name = name;
    server.port = 27015;
    server.overlays = overlays;
    server.environment = "L4D2_NAME=" + name + "\nL4D2_PORT=27015\nset -- -tickrate 100\n";
    server.config = "hostname \"" + name + "\"\nsv_consistency 1\n";
    return server;
}

Desired one_server(const std::string& name) {
    Desired desired;
    desired.revision = "r1";
    desired.overlays["tick"] = inline_source({{"left4dead2/cfg/tick.cfg", "fps_max 0\n"}});
    desired.servers[name] = a_server(name, {"tick"});
    return desired;
}

InlineSource inline_source(const std::map<std::string, std::string>& files) { return InlineSource{files}; }
OverlaySource directory_source(const std::string& path) {
    return DirectorySource{path, std::filesystem::path(path).parent_path().string(), {}};
}

std::string wanted(const Place& place, const OverlaySource& source) {
    (void)input_of(place, source);
    if (const auto* files = std::get_if<InlineSource>(&source)) return store::digest_inline(files->files);
    const auto& directory = std::get<DirectorySource>(source);
    const auto root = store::open_source(directory);
    REQUIRE(root);
    const auto tree = store::scan_tree(root->get(), directory.limits);
    REQUIRE(tree);
    const auto digest = store::digest_tree(root->get(), *tree);
    INFO((digest ? "" : digest.error()));
    REQUIRE(digest);
    return *digest;
}

std::string input_of(const Place& place, const OverlaySource& source) {
    Desired desired;
    desired.overlays["o"] = source;
    const Target target = place.target(desired);
    const TargetOverlay& overlay = target.overlays.at("o");
    INFO((overlay.artifact ? "" : overlay.artifact.error().message));
    REQUIRE((overlay.artifact || overlay.is_unbuilt()));
    return overlay.build ? overlay.build->input : std::string();
}

std::string refusal(const Place& place, const OverlaySource& source) {
    Desired desired;
    desired.overlays["o"] = source;
    const Target target = place.target(desired);
    const auto& artifact = target.overlays.at("o").artifact;
    REQUIRE_FALSE(artifact);
    REQUIRE(artifact.error().kind == InputErrorKind::Source);
    return artifact.error().message;
}

}  // namespace left4me
