#include "adapters/overlayfs/mounts.hpp"

#include "support/catch.hpp"

using left4me::parse_mountinfo;
using left4me::Paths;

namespace {

using Layers = std::vector<std::string>;

Paths paths() {
    Paths paths;
    paths.state = "/var/lib/left4me";
    return paths;
}

/// One line in the kernel's format.
std::string line(const std::string& ids, const std::string& point, const std::string& rest) {
    return ids + " 0:41 / " + point + " rw,relatime shared:7 master:1 - " + rest + "\n";
}

constexpr const char* comp1 = "/var/lib/left4me/runtime/comp1/merged";

}  // namespace

TEST_CASE("layers given one by one are read in order") {
    const auto mounts = parse_mountinfo(
        line("70 30", comp1,
             "overlay overlay "
             "rw,lowerdir+=instances/comp1/00112233aabbccdd/layer,lowerdir+=overlays/tick/0123456789abcdef,"
             "lowerdir+=/var/lib/left4me/installation,upperdir=runtime/comp1/upper,workdir=w,uuid=on"),
        paths());
    REQUIRE(mounts.size() == 1);
    CHECK(mounts.at("comp1") ==
          Layers{"instances/comp1/00112233aabbccdd/layer", "overlays/tick/0123456789abcdef", "installation"});
}

TEST_CASE("layers of mount(2), relative and absolute, lose the state directory") {
    const auto mounts = parse_mountinfo(
        line("70 30", comp1,
             "overlay overlay rw,lowerdir=instances/comp1/x:/var/lib/left4me/installation:/srv/else"),
        paths());
    CHECK(mounts.at("comp1") == Layers{"instances/comp1/x", "installation", "/srv/else"});
}

TEST_CASE("a neighbour of the state directory is not beneath it") {
    const auto mounts = parse_mountinfo(
        line("70 30", comp1, "overlay o rw,lowerdir=/var/lib/left4me2/a:/var/lib/left4me"), paths());
    CHECK(mounts.at("comp1") == Layers{"/var/lib/left4me2/a", "."});
}

TEST_CASE("octal escapes and backslashed colons belong to the names") {
    const auto mounts = parse_mountinfo(
        line("70 30", comp1, R"(overlay overlay rw,lowerdir=/a\134:b\040c:/d\054e:/f\134\134g,upperdir=/u)"),
        paths());
    CHECK(mounts.at("comp1") == Layers{"/a:b c", "/d,e", R"(/f\g)"});
    const auto single = parse_mountinfo(
        line("70 30", comp1, R"(overlay overlay rw,lowerdir+=/a:b\040c,lowerdir+=/d\054e)"), paths());
    CHECK(single.at("comp1") == Layers{"/a:b c", "/d,e"});
}

TEST_CASE("of stacked mounts the uppermost counts, whatever their order") {
    const std::string lower = line("70 30", comp1, "overlay overlay rw,lowerdir=/lower:/l");
    const std::string upper = line("71 70", comp1, "overlay overlay rw,lowerdir=/upper:/l");
    CHECK(parse_mountinfo(lower + upper, paths()).at("comp1") == Layers{"/upper", "/l"});
    CHECK(parse_mountinfo(upper + lower, paths()).at("comp1") == Layers{"/upper", "/l"});
}

TEST_CASE("another file system mounted on merged is reported by type and source") {
    const auto mounts =
        parse_mountinfo(line("70 30", comp1, "ext4 /dev/sd\\040a rw,errors=remount-ro"), paths());
    CHECK(mounts.at("comp1") == Layers{"ext4:/dev/sd a"});
}

TEST_CASE("mounts elsewhere and malformed lines are skipped") {
    const std::string text = line("1 2", "/", "ext4 /dev/vda rw") +
                             line("3 2", "/var/lib/left4me/runtime/comp1/merged/sub", "tmpfs t rw") +
                             line("4 2", "/var/lib/left4me/runtime/a/b/merged", "tmpfs t rw") +
                             line("5 2", "/var/lib/left4me/runtime/merged", "tmpfs t rw") +
                             line("6 2", "/x/var/lib/left4me/runtime/comp1/merged", "tmpfs t rw") +
                             "7 2 0:1 / " + comp1 + " rw\n\n \nrubbish\n8 2 0:1 /";
    CHECK(parse_mountinfo(text, paths()).empty());
    CHECK(parse_mountinfo("", paths()).empty());
}

TEST_CASE("a state directory with a space is found behind the kernel's escapes") {
    Paths spaced;
    spaced.state = "/srv/left 4 me";
    const auto mounts = parse_mountinfo(
        line("70 30", R"(/srv/left\0404\040me/runtime/comp1/merged)",
             R"(overlay overlay rw,lowerdir+=/srv/left\0404\040me/installation,lowerdir+=/b)"),
        spaced);
    CHECK(mounts.at("comp1") == Layers{"installation", "/b"});
}

TEST_CASE("five hundred layers are all read") {
    std::string options = "overlay overlay rw";
    for (int i = 0; i < 500; ++i)
        options += ",lowerdir+=overlays/o" + std::to_string(i) + "/0123456789abcdef";
    const auto mounts = parse_mountinfo(line("70 30", comp1, options), paths());
    CHECK(mounts.at("comp1").size() == 500);
    CHECK(mounts.at("comp1").back() == "overlays/o499/0123456789abcdef");
}

TEST_CASE("a mountinfo that can not be read is an error that names it") {
    left4me::Paths elsewhere = paths();
    elsewhere.mountinfo = "/proc/self/no-such-file";
    const auto mounts = left4me::read_mounts(elsewhere);
    REQUIRE_FALSE(mounts);
    CHECK(mounts.error() == "/proc/self/no-such-file: No such file or directory");
}
