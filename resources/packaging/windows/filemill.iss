; Inno Setup 6. A template that resources/packaging/build.py fills in from product.py. Installs for the current user,
; without administrator rights.
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
; A running Filemill is closed; unfinished files continue at the next start.
CloseApplications=yes
RestartApplications=no

[Languages]
Name: "en"; MessagesFile: "compiler:Default.isl"
Name: "de"; MessagesFile: "compiler:Languages\German.isl"

[CustomMessages]
en.SendTo=Add $name to the “Send to” menu
de.SendTo=$name zum Menü „Senden an“ hinzufügen
en.OnDesktop=Create a desktop icon
de.OnDesktop=Desktopsymbol erstellen
en.Start=Start $name
de.Start=$name starten
en.DeleteData=Do you also want to delete your list, settings and logs? Your files themselves are not changed.
de.DeleteData=Möchten Sie auch die Liste, die Einstellungen und die Protokolle löschen? Ihre Dateien selbst werden nicht verändert.

[Tasks]
Name: "sendto"; Description: "{cm:SendTo}"
Name: "desktop"; Description: "{cm:OnDesktop}"; Flags: unchecked

[Files]
Source: "$root\dist\$command\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[InstallDelete]
; Remove the old version's modules, so that the new version does not load them.
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
  { No is the default button, because deleting can't be undone. }
  if (Step = usPostUninstall) and DirExists(ExpandConstant('{localappdata}\$name')) and not UninstallSilent then
    if MsgBox(ExpandConstant('{cm:DeleteData}'), mbConfirmation, MB_YESNO or MB_DEFBUTTON2) = IDYES then
      DelTree(ExpandConstant('{localappdata}\$name'), True, True, True);
end;
