#include "hostile_archives.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <numeric>
#include <stdexcept>

namespace left4me {

namespace {

constexpr std::size_t block = 512;

void put(std::string& header, std::size_t at, std::size_t bytes, const std::string& text) {
    header.replace(at, std::min(bytes, text.size()), text, 0, std::min(bytes, text.size()));
}

std::string octal(std::uint64_t value, std::size_t digits) {
    std::string text;
    for (std::size_t i = 0; i < digits; ++i) {
        text.insert(text.begin(), static_cast<char>('0' + (value & 7U)));
        value >>= 3U;
    }
    return text;
}

std::string header_of(const TarEntry& entry) {
    std::string header(block, '\0');
    put(header, 0, 100, entry.path);
    put(header, 100, 8, octal(entry.mode, 7));
    put(header, 108, 8, octal(0, 7));
    put(header, 116, 8, octal(0, 7));
    put(header, 124, 12, octal(entry.content.size(), 11));
    put(header, 136, 12, octal(0, 11));
    put(header, 148, 8, "        ");
    header[156] = entry.type;
    put(header, 157, 100, entry.link);
    put(header, 257, 8, std::string("ustar\00000", 8));
    put(header, 329, 8, octal(1, 7));
    put(header, 337, 8, octal(3, 7));
    const unsigned sum = std::accumulate(header.begin(), header.end(), 0U, [](unsigned all, char c) {
        return all + static_cast<unsigned char>(c);
    });
    put(header, 148, 8, octal(sum, 6) + std::string("\0 ", 2));
    return header;
}

void add(std::string& tar, const TarEntry& entry) {
    tar += header_of(entry) + entry.content;
    tar.resize((tar.size() + block - 1) / block * block, '\0');
}

void must(int result, archive* writer) {
    if (result < ARCHIVE_WARN) throw std::runtime_error(archive_error_string(writer));
}

}  // namespace

std::string tar_of(const std::vector<TarEntry>& entries) {
    constexpr std::size_t room = 100;
    std::string tar;
    for (const TarEntry& entry : entries) {
        if (entry.path.size() > room) add(tar, {"././@LongLink", entry.path + '\0', 'L'});
        if (entry.link.size() > room) add(tar, {"././@LongLink", entry.link + '\0', 'K'});
        add(tar, entry);
    }
    return tar + std::string(2 * block, '\0');
}

std::string archive_of(Format format, const std::vector<TarEntry>& entries) {
    (void)std::setlocale(LC_CTYPE, "C.UTF-8");  // the names of the entries
    archive* const writer = archive_write_new();
    switch (format) {
        case Format::Zip:
            must(archive_write_set_format_zip(writer), writer);
            break;
        case Format::SevenZip:
            must(archive_write_set_format_7zip(writer), writer);
            break;
        case Format::TarGzip:
            must(archive_write_add_filter_gzip(writer), writer);
            break;
        case Format::TarXz:
            must(archive_write_add_filter_xz(writer), writer);
            break;
        case Format::TarZstd:
            must(archive_write_add_filter_zstd(writer), writer);
            break;
        case Format::TarBzip2:
            must(archive_write_add_filter_bzip2(writer), writer);
            break;
    }
    if (format != Format::Zip && format != Format::SevenZip)
        must(archive_write_set_format_pax(writer), writer);
    std::size_t content = 4U << 20U;
    for (const TarEntry& entry : entries) content += entry.content.size() + entry.path.size() + 4096;
    std::string bytes(content, '\0');
    std::size_t used = 0;
    must(archive_write_open_memory(writer, bytes.data(), bytes.size(), &used), writer);
    for (const TarEntry& entry : entries) {
        archive_entry* const header = archive_entry_new();
        archive_entry_set_pathname(header, entry.path.c_str());
        archive_entry_set_filetype(header, entry.type == '5'   ? AE_IFDIR
                                           : entry.type == '2' ? AE_IFLNK
                                                               : AE_IFREG);
        archive_entry_set_perm(header, entry.mode);
        archive_entry_set_mtime(header, 1, 0);
        archive_entry_set_size(header, static_cast<la_int64_t>(entry.content.size()));
        if (entry.type == '2') archive_entry_set_symlink(header, entry.link.c_str());
        must(archive_write_header(writer, header), writer);
        if (!entry.content.empty() &&
            archive_write_data(writer, entry.content.data(), entry.content.size()) < 0)
            throw std::runtime_error(archive_error_string(writer));
        archive_entry_free(header);
    }
    must(archive_write_close(writer), writer);
    archive_write_free(writer);
    bytes.resize(used);
    return bytes;
}

std::string gzip_of(const std::string& text) {
    z_stream stream{};
    constexpr int with_gzip_header = 15 + 16;
    if (deflateInit2(&stream, 9, Z_DEFLATED, with_gzip_header, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::runtime_error("deflateInit2");
    std::string compressed(deflateBound(&stream, text.size()), '\0');
    std::string from = text;
    stream.next_in = reinterpret_cast<unsigned char*>(from.data());
    stream.avail_in = static_cast<unsigned>(from.size());
    stream.next_out = reinterpret_cast<unsigned char*>(compressed.data());
    stream.avail_out = static_cast<unsigned>(compressed.size());
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("deflate");
    compressed.resize(stream.total_out);
    (void)deflateEnd(&stream);
    return compressed;
}

}  // namespace left4me
