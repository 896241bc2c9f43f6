; Inno Setup 6. Filled in by resources/packaging/build.py from product.py; for one user, without an administrator.
[Setup]
AppId={{$windows_id}
AppName=$name
AppVersion=$version
AppVerName=$name $version
AppPublisher=$publisher
AppPublisherURL=$homepage
VersionInfoVersion=$version
DefaultDirName={localappdata}\Programs\$name
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
OutputDir=$root\dist
OutputBaseFilename=$command-$version-setup
SetupIconFile=$root\resources\icons\app\$command.ico
UninstallDisplayIcon={app}\$command-window.exe
UninstallDisplayName=$name
LicenseFile=$root\LICENSE
Compression=lzma2/max
SolidCompression=yes
WizardStyle=modern
; A running Filemill is asked to close; what is not done goes on at the next start.
CloseApplications=yes
RestartApplications=no

[Languages]
Name: "en"; MessagesFile: "compiler:Default.isl"
Name: "de"; MessagesFile: "compiler:Languages\German.isl"

[CustomMessages]
en.SendTo=Offer $name in the menu Send to
de.SendTo=$name im Menü „Senden an“ anbieten
en.OnDesktop=Put an icon on the desktop
de.OnDesktop=Symbol auf dem Desktop anlegen
en.Start=Start $name
de.Start=$name starten
en.DeleteData=Also delete my list, my settings and the logs? The files themselves are not touched.
de.DeleteData=Auch Liste, Einstellungen und Protokolle löschen? Die Dateien selbst bleiben unberührt.

[Tasks]
Name: "sendto"; Description: "{cm:SendTo}"
Name: "desktop"; Description: "{cm:OnDesktop}"; Flags: unchecked

[Files]
Source: "$root\dist\$command\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[InstallDelete]
; A part of an older version that is there no longer must not be found by the new one.
Type: filesandordirs; Name: "{app}\_internal"

[Icons]
Name: "{userprograms}\$name"; Filename: "{app}\$command-window.exe"; AppUserModelID: "$id"
Name: "{userdesktop}\$name"; Filename: "{app}\$command-window.exe"; AppUserModelID: "$id"; Tasks: desktop
Name: "{usersendto}\$name"; Filename: "{app}\$command-window.exe"; Tasks: sendto

[Run]
Filename: "{app}\$command-window.exe"; Description: "{cm:Start}"; Flags: nowait postinstall skipifsilent

[Code]
procedure CurUninstallStepChanged(Step: TUninstallStep);
begin
  { The second button, No, is the one that Enter presses: what is deleted is gone. }
  if (Step = usPostUninstall) and DirExists(ExpandConstant('{localappdata}\$name')) and not UninstallSilent then
    if MsgBox(ExpandConstant('{cm:DeleteData}'), mbConfirmation, MB_YESNO or MB_DEFBUTTON2) = IDYES then
      DelTree(ExpandConstant('{localappdata}\$name'), True, True, True);
end;
