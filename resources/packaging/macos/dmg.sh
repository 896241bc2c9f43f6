#!/usr/bin/env bash
# Create a disk image from DIST/NAME.app: dmg.sh NAME VERSION DIST
# If CODESIGN_IDENTITY is set, sign it; if NOTARY_PROFILE is set too, notarize it (see `man notarytool`).
set -euo pipefail
name=$1 version=$2 dist=$3
here=$(cd "$(dirname "$0")" && pwd)
app=$dist/$name.app
image=$dist/$(printf %s "$name" | tr '[:upper:]' '[:lower:]')-$version.dmg

if [ -n "${CODESIGN_IDENTITY:-}" ]; then
    codesign --force --deep --options runtime --timestamp --entitlements "$here/entitlements.plist" \
        --sign "$CODESIGN_IDENTITY" "$app"
    codesign --verify --deep --strict "$app"
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -R "$app" "$folder/"
ln -s /Applications "$folder/Applications"
rm -f "$image"
hdiutil create -volname "$name $version" -srcfolder "$folder" -format UDZO -fs HFS+ "$image"

if [ -n "${CODESIGN_IDENTITY:-}" ] && [ -n "${NOTARY_PROFILE:-}" ]; then
    codesign --sign "$CODESIGN_IDENTITY" --timestamp "$image"
    xcrun notarytool submit "$image" --keychain-profile "$NOTARY_PROFILE" --wait
    xcrun stapler staple "$image"
fi
