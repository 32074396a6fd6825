"""The endings of photos' names, which walks through folders go by; files named by a user are always tried."""

from __future__ import annotations

from typing import Final

_RAW: Final = (
    "3fr arw cr2 cr3 dcr dng erf fff iiq kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f"
)
_PICTURES: Final = (
    "jpg jpeg jpe jfif mpo png apng tif tiff webp avif avifs jxl jp2 j2k j2c jpc jpf jpx bmp dib gif psd psb "
    "heic heics heif heifs hif"
)
_FOREIGN: Final = (
    "jxr wdp hdp exr hdr dpx tga pcx ppm pgm pbm pnm pfm ico icns svg svgz eps ai pdf xcf kra afphoto clip "
    "sketch djvu dcm fits fit crw qtk cap eip gpr cine ari braw r3d bpg flif qoi dds mng jng"
)
RAW_ENDINGS: Final = frozenset(_RAW.split())
PHOTO_ENDINGS: Final = RAW_ENDINGS | frozenset(_PICTURES.split())
# Pictures to a photographer's eye that are not read, which a walk names instead of passing them over.
FOREIGN_ENDINGS: Final = frozenset(_FOREIGN.split())
