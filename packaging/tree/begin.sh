# shellcheck shell=bash
# Sourced by the build.sh of each package: its options, and the installed tree to make the package of.
#   needs  here         the directory of the build.sh
#   sets   repository, framework (not empty: framework-dependent), version, out, work (removed at the end), root (the tree, once
#          the function stage has laid it out)
#   --framework-dependent  1 MiB instead of 12, with a dependency on aspnetcore-runtime-10.0
#   --published DIR        take this output of `dotnet publish` instead of publishing now
#   --version VERSION      default: that of src/Directory.Build.props
#   --out DIR              default: the directory out beside the build.sh
repository=$(cd "$here/../.." && pwd)
framework='' version='' out=$here/out
stage_options=()
value_of() { [ $# -gt 1 ] && printf %s "$2" || { echo "build.sh: $1 needs a value" >&2; exit 2; }; }
while [ $# -gt 0 ]; do
    case $1 in
        --framework-dependent) framework=yes; stage_options+=("$1"); shift ;;
        --published) published=$(value_of "$@"); stage_options+=("$1" "$published"); shift 2 ;;
        --version) version=$(value_of "$@"); shift 2 ;;
        --out) out=$(value_of "$@"); shift 2 ;;
        *) echo "build.sh: unknown option $1; known are --framework-dependent, --published DIR, --version VERSION, --out DIR" >&2; exit 2 ;;
    esac
done
[ -n "$version" ] || version=$(sed -n 's#.*<Version>\(.*\)</Version>.*#\1#p' "$repository/src/Directory.Build.props")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
umask 022

stage() { "$repository/packaging/tree/stage.sh" "${stage_options[@]+"${stage_options[@]}"}" "$root"; }
